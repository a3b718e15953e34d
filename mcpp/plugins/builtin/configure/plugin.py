"""The plugin: after a boot it reads a charger's configuration, and sets what differs, one key at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from pydantic import BaseModel

from mcpp.csms.operations import ChangeOutcome
from mcpp.domain.events import ChargePointBooted, ChargePointConnected
from mcpp.ocppj.errors import CallRefused, CommandError
from mcpp.plugins.builtin.configure.settings import ConfigureSettings, same, wanted_keys
from mcpp.plugins.hookspecs import hookimpl
from mcpp.plugins.site import ChargePointState, Site

_LATER: Final = 60.0
"""Seconds until a charger that is in use, or didn't answer, is visited again."""
_TRIES: Final = 3


class Refusals(BaseModel):
    """What is remembered of a charge point: the keys that it didn't take, or takes at its next reboot only."""

    firmware_version: str | None
    wanted: dict[str, str]
    """By key in lower case: the values that were wanted."""


@dataclass(slots=True, eq=False)
class _Task:
    """What is left to do at a charge point after its boot."""

    to_set: dict[str, str] | None = None
    """None before its configuration was read."""
    failures: int = 0
    lost: bool = False
    """Waits for the charge point to come back."""


class Configure:
    """The plugin. What a charger refused isn't tried again until the wanted value or the charger's firmware changes."""

    def __init__(self, settings: ConfigureSettings | None = None) -> None:
        """Settings come from the environment where none are given. Raises ValidationError, StartError."""
        self._settings = settings or ConfigureSettings()
        self._rules = self._settings.rules()
        self._tasks: dict[str, _Task] = {}
        self._refusals: dict[str, Refusals] = {}
        self._recalled = False

    @hookimpl
    def charge_point_booted(self, event: ChargePointBooted, site: Site) -> None:
        """Begin, or begin again."""
        task = self._tasks[event.charge_point_id] = _Task()
        self._visit_in(self._settings.delay, site, event.charge_point_id, task)

    @hookimpl
    def charge_point_connected(self, event: ChargePointConnected, site: Site) -> None:
        """Go on where the connection was lost; everybody else waits for a boot."""
        task = self._tasks.get(event.charge_point_id)
        if task is not None and task.lost:
            task.lost = False
            self._visit_in(self._settings.delay, site, event.charge_point_id, task)

    def _visit_in(self, seconds: float, site: Site, charge_point_id: str, task: _Task) -> None:
        site.schedule(seconds, partial(self._visit, site, charge_point_id, task))

    async def _visit(self, site: Site, charge_point_id: str, task: _Task) -> None:
        """Send one command, if the charge point is there and not in use, and come again until all is done."""
        point = await site.charge_point(charge_point_id)
        if self._tasks.get(charge_point_id) is not task:
            return  # it booted again, and was asked anew
        if point is None or not point.connected:
            task.lost = True
            return
        if any(connector.transaction_id is not None for connector in point.connectors):
            self._visit_in(_LATER, site, charge_point_id, task)
            return
        try:
            await self._take_a_step(site, point, task)
        except CommandError as error:
            task.failures += 1
            given_up = task.failures >= _TRIES
            site.log.warning(
                "configuration_failed",
                category="system",
                charge_point_id=charge_point_id,
                error=str(error) or type(error).__name__,
                given_up=given_up,
            )
            if not given_up:
                self._visit_in(_LATER, site, charge_point_id, task)
            return
        if task.to_set:
            self._visit_in(self._settings.pause, site, charge_point_id, task)

    async def _take_a_step(self, site: Site, point: ChargePointState, task: _Task) -> None:
        if task.to_set is None:
            task.to_set = await self._differing(site, point)
            return
        key, value = next(iter(task.to_set.items()))
        await self._set(site, point, key, value)
        del task.to_set[key]

    async def _differing(self, site: Site, point: ChargePointState) -> dict[str, str]:
        """What is wanted and isn't so, without what was refused before."""
        wanted = wanted_keys(self._rules, point)
        if not wanted:
            return {}
        values = await _read(site, point.charge_point_id, wanted)
        differing = {key: value for key, value in wanted.items() if not same(values.get(key.casefold()), value)}
        refused = (await self._refusals_of(site, point)).wanted
        return {key: value for key, value in differing.items() if refused.get(key.casefold()) != value}

    async def _set(self, site: Site, point: ChargePointState, key: str, value: str) -> None:
        log = site.log.bind(category="system", charge_point_id=point.charge_point_id, key=key, value=value)
        try:
            outcome: str = await site.verbs.change_configuration(point.charge_point_id, key, value)
        except CallRefused as error:
            outcome = error.code
        if outcome == ChangeOutcome.ACCEPTED:
            log.info("configuration_set")
            return
        if outcome == ChangeOutcome.REBOOT_REQUIRED:
            log.warning("configuration_set_after_reboot")
        else:
            log.warning("configuration_refused", outcome=outcome)
        refusals = await self._refusals_of(site, point)
        refusals.wanted[key.casefold()] = value
        await site.remember(point.charge_point_id, refusals.model_dump())

    async def _refusals_of(self, site: Site, point: ChargePointState) -> Refusals:
        """What this charge point refused, with the firmware that it has now."""
        if not self._recalled:
            for name, value in (await site.recall()).items():
                self._refusals.setdefault(name, Refusals.model_validate(value))
            self._recalled = True
        known = self._refusals.get(point.charge_point_id)
        if known is None or known.firmware_version != point.firmware_version:
            known = Refusals(firmware_version=point.firmware_version, wanted={})
            self._refusals[point.charge_point_id] = known
        return known


async def _read(site: Site, charge_point_id: str, keys: Mapping[str, str]) -> dict[str, str | None]:
    """The values that the charge point has, by key in lower case."""
    try:
        values = await site.verbs.get_configuration(charge_point_id, list(keys))
    except CallRefused:  # some refuse unknown keys, or more keys than they can bear
        values = await site.verbs.get_configuration(charge_point_id)
    return {key.casefold(): value for key, value in values.items()}
