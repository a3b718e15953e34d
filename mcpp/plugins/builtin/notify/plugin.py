"""The plugin `notify`: looks at what needs a person twice a minute, and tells it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from importlib.util import find_spec
from typing import Final

from mcpp.errors import StartError, needs_extra
from mcpp.plugins import Site, hookimpl
from mcpp.plugins.builtin.notify.incidents import Incident, Incidents, message
from mcpp.plugins.builtin.notify.settings import NotifySettings
from mcpp.reads.attention import MOST_ITEMS

_EVERY: Final = 30.0
"""Seconds between two looks."""

_LONGEST_PAUSE: Final = 3600.0


class Notify:
    """The plugin. An incident is told once, however often it's seen, and over a restart; what can't be told waits."""

    def __init__(self, settings: NotifySettings | None = None, *, every: float = _EVERY) -> None:
        """Settings come from the environment where none are given. Raises ValidationError or StartError."""
        if find_spec("apprise") is None:
            raise StartError(needs_extra("notify"))
        self._settings = settings or NotifySettings()
        self._every = every
        self._incidents = Incidents(self._settings.codes, timedelta(seconds=self._settings.after))
        self._failures = 0

    @hookimpl
    async def server_started(self, site: Site) -> None:
        """Go on where it ended."""
        self._incidents.recall(await site.recall(), site.now())
        await self._look(site)

    async def _look(self, site: Site) -> None:
        """Look, tell, and come again."""
        try:
            items = await site.attention()
            now = site.now()
            away = [it for it in self._incidents.missing(items) if await _is_away(site, it)]
            self._incidents.look(items, now, is_complete=len(items) < MOST_ITEMS, away=away)
            quiet = self._settings.quiet_hours
            if quiet is None or not quiet.contain(now.astimezone()):
                await self._tell(site, self._incidents.due(now))
        finally:
            site.schedule(min(_LONGEST_PAUSE, self._every * 2.0 ** min(self._failures, 10)), lambda: self._look(site))

    async def _tell(self, site: Site, due: Mapping[str, Incident]) -> None:
        if not due:
            return
        title, text = message(due.values())
        if text and not await self._send(title, text):
            self._failures += 1
            site.log.warning("notify_failed", category="error", tries=self._failures, waiting=len(due))
            return
        if self._failures:
            site.log.info("notify_delivers_again", category="system", tries=self._failures)
        self._failures = 0
        for key in due:
            incident = self._incidents.told(key)
            await site.remember(key, None if incident is None else incident.as_json())

    async def _send(self, title: str, text: str) -> bool:
        from apprise import Apprise, NotifyFormat  # a third of a second, which only those pay who use it

        receivers = Apprise()
        for url in self._settings.urls:
            receivers.add(url.get_secret_value())
        return bool(await receivers.async_notify(title=title, body=text, body_format=NotifyFormat.TEXT))


async def _is_away(site: Site, charge_point_id: str) -> bool:
    """Whether a charge point that there is isn't connected."""
    point = await site.charge_point(charge_point_id)
    return point is not None and not point.connected
