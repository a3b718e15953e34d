"""What the server knows beside the database that may need a person."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from mcpp.certificates.desk import SigningDesk
from mcpp.certificates.files import AuthorityUnusable
from mcpp.clock import Clock
from mcpp.reads.attention import is_disk_low
from mcpp.reads.attention_search import AttentionSources, EndingCertificate, LowDisk, RefusedAttempt
from mcpp.server.certificates import own_ending
from mcpp.server.presence import Presence
from mcpp.server.tls import ListenersTls


def attention_sources(
    database: Path,
    clock: Clock,
    presence: Presence,
    desk: SigningDesk,
    tls: ListenersTls | None,
    refused: Callable[[], Sequence[RefusedAttempt]] = tuple,
) -> AttentionSources:
    """To be made when chargers can begin to connect."""
    return AttentionSources(
        uptime=partial(_uptime, clock, clock.monotonic()),
        reconnect_loops=partial(_reconnect_loops, presence, clock),
        refused=refused,
        certificate_renewal=desk.renewal,
        own_certificates=partial(_own_certificates, desk, tls, clock),
        low_disk=DiskWatch(database.parent, clock.now),
        clock_wrong_since=partial(_clock_wrong_since, clock),
    )


class DiskWatch:
    """Remembers since when a file system is nearly full, as far as anybody looked."""

    def __init__(self, directory: Path, now: Callable[[], datetime]) -> None:
        self._directory = directory
        self._now = now
        self._since: datetime | None = None

    def __call__(self) -> LowDisk | None:
        try:
            space = os.statvfs(self._directory)
        except OSError:
            return None
        free = space.f_bavail * space.f_frsize
        if not is_disk_low(free, space.f_blocks * space.f_frsize):
            self._since = None
            return None
        if self._since is None:
            self._since = self._now()
        return LowDisk(free, self._since)


def _uptime(clock: Clock, began: float) -> timedelta:
    return timedelta(seconds=clock.monotonic() - began)


def _reconnect_loops(presence: Presence, clock: Clock) -> dict[str, datetime]:
    return {identity: clock.at(since) for identity, since in presence.reconnect_loops().items()}


def _own_certificates(desk: SigningDesk, tls: ListenersTls | None, clock: Clock) -> list[EndingCertificate]:
    ending = [] if tls is None else tls.ending()
    with suppress(AuthorityUnusable):  # the log says it
        for which, end in own_ending(desk, clock.now()).items():
            # What a listener serves by is the listener's.
            if which == "authority" or not ending:
                ending.append(EndingCertificate(f"the {which}", end, end - desk.renewal))
    return ending


def _clock_wrong_since(clock: Clock) -> datetime | None:
    return None if clock.wrong_since is None else clock.at(clock.wrong_since)
