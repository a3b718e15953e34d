"""Reports charge points that stay away and their return, not each flap; see docs/plugins/offline_alert.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from pydantic import Field

from mcpp.domain.events import ChargePointConnected, ChargePointDisconnected, ChargePointOffline, ChargePointOnline
from mcpp.ocppj.flow import new_correlation_id
from mcpp.plugins import ChargePointState, Scheduled, Site, hookimpl
from mcpp.plugins.settings import PluginSettings
from mcpp.reads.attention import OFFLINE_AFTER


class OfflineAlertSettings(PluginSettings, env_prefix="MCPP_PLUGIN_OFFLINE_ALERT_"):
    """Settings of the plugin `offline_alert`."""

    after: int = Field(
        int(OFFLINE_AFTER.total_seconds()),
        ge=1,
        le=604_800,
        description="Seconds that a charge point must be gone to be reported.",
    )
    back_after: int = Field(60, ge=0, le=604_800, description="Seconds that it must stay connected to count as back.")


@dataclass(slots=True, kw_only=True, eq=False)
class _Absence:
    """A charge point that is gone, or back on trial."""

    since: datetime
    reported: bool = False
    pending: Scheduled | None = None
    """The report that follows unless something happens before."""

    def settle(self) -> None:
        """Something happened before."""
        if self.pending is not None:
            self.pending.cancel()
            self.pending = None


class OfflineAlert:
    """The plugin. One absence is reported once, however often the charge point comes and goes meanwhile."""

    def __init__(self, settings: OfflineAlertSettings | None = None) -> None:
        """Settings come from the environment where none are given. Raises ValidationError."""
        self._settings = settings or OfflineAlertSettings()
        self._absences: dict[str, _Absence] = {}

    @hookimpl
    async def server_started(self, site: Site) -> None:
        """Who is known and isn't there counts as gone from now on; what was reported before isn't reported again."""
        reported = dict(await site.recall())
        for charge_point in await site.charge_points():
            since = reported.pop(charge_point.charge_point_id, None)
            if isinstance(since, str):
                self._take_up(charge_point, datetime.fromisoformat(since), site)
            elif charge_point.accepted and not charge_point.connected:
                self._miss(charge_point.charge_point_id, site.now(), site)
        for deleted in reported:
            await site.remember(deleted, None)

    @hookimpl
    def charge_point_disconnected(self, event: ChargePointDisconnected, site: Site) -> None:
        """Begin to count, or go on if it had been back for a short time only."""
        absence = self._absences.get(event.charge_point_id)
        if absence is None:
            self._miss(event.charge_point_id, event.at, site)
        elif absence.reported:
            absence.settle()

    @hookimpl
    def charge_point_connected(self, event: ChargePointConnected, site: Site) -> None:
        """Forget an absence that was never reported; another one ends when the connection has lasted."""
        absence = self._absences.get(event.charge_point_id)
        if absence is None:
            return
        absence.settle()
        if not absence.reported:
            del self._absences[event.charge_point_id]
            return
        self._put_on_trial(event.charge_point_id, absence, event.at, site)

    def _take_up(self, charge_point: ChargePointState, since: datetime, site: Site) -> None:
        absence = self._absences[charge_point.charge_point_id] = _Absence(since=since, reported=True)
        if charge_point.connected:
            self._put_on_trial(charge_point.charge_point_id, absence, site.now(), site)

    def _put_on_trial(self, charge_point_id: str, absence: _Absence, back_at: datetime, site: Site) -> None:
        report = partial(self._report_online, charge_point_id, absence, back_at, site)
        absence.pending = site.schedule(self._settings.back_after, report)

    def _miss(self, charge_point_id: str, since: datetime, site: Site) -> None:
        if charge_point_id in self._absences:
            return
        absence = self._absences[charge_point_id] = _Absence(since=since)
        absence.pending = site.schedule(
            self._settings.after, partial(self._report_offline, charge_point_id, absence, site)
        )

    async def _report_offline(self, charge_point_id: str, absence: _Absence, site: Site) -> None:
        charge_point = await site.charge_point(charge_point_id)
        if self._absences.get(charge_point_id) is not absence:
            return
        if charge_point is None or charge_point.connected or not charge_point.accepted:
            del self._absences[charge_point_id]
            return
        absence.reported = True
        now = site.now()
        event = ChargePointOffline(
            charge_point_id=charge_point_id, correlation_id=new_correlation_id(), at=now, gone_since=absence.since
        )
        site.log.warning(
            "charge_point_offline",
            category="error",
            charge_point_id=charge_point_id,
            correlation_id=event.correlation_id,
            gone_since=absence.since,
            gone_seconds=_seconds(absence.since, now),
        )
        site.publish(event)
        await site.remember(charge_point_id, absence.since.isoformat())

    async def _report_online(self, charge_point_id: str, absence: _Absence, back_at: datetime, site: Site) -> None:
        del self._absences[charge_point_id]
        event = ChargePointOnline(
            charge_point_id=charge_point_id,
            correlation_id=new_correlation_id(),
            at=site.now(),
            gone_since=absence.since,
            gone_seconds=_seconds(absence.since, back_at),
        )
        site.log.info(
            "charge_point_online",
            category="system",
            charge_point_id=charge_point_id,
            correlation_id=event.correlation_id,
            gone_since=absence.since,
            gone_seconds=event.gone_seconds,
        )
        site.publish(event)
        await site.remember(charge_point_id, None)


def _seconds(since: datetime, until: datetime) -> int:
    return round((until - since).total_seconds())
