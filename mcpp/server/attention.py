"""What the server knows beside the database that may need a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from mcpp import __version__
from mcpp.certificates.desk import SigningDesk
from mcpp.certificates.files import AuthorityUnusable
from mcpp.clock import Clock
from mcpp.reads.attention_search import AttentionSources, EndingCertificate, LowDisk, RefusedAttempt
from mcpp.reads.server_state import OwnCertificate, ServerState, database_sizes, disk_space
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


class StateGuide:
    """Knows how the server itself is. To be made at its start."""

    def __init__(self, database: Path, clock: Clock, attention: AttentionSources) -> None:
        self._database = database
        self._clock = clock
        self._began = clock.monotonic()
        self._attention = attention

    def state(self) -> ServerState:
        """As it is now."""
        database_bytes, wal_bytes = database_sizes(self._database)
        return ServerState(
            version=__version__,
            started_at=self._clock.at(self._began),
            time=self._clock.now(),
            machine_time=self._clock.machine_now(),
            clock_wrong_since=self._attention.clock_wrong_since(),
            database=str(self._database),
            database_bytes=database_bytes,
            wal_bytes=wal_bytes,
            disk=disk_space(self._database.parent),
            ending_certificates=[OwnCertificate(it.name, it.expires_at) for it in self._attention.own_certificates()],
        )


class DiskWatch:
    """Remembers since when a file system is nearly full, as far as anybody looked."""

    def __init__(self, directory: Path, now: Callable[[], datetime]) -> None:
        self._directory = directory
        self._now = now
        self._since: datetime | None = None

    def __call__(self) -> LowDisk | None:
        space = disk_space(self._directory)
        if space is None:
            return None
        if not space.is_low:
            self._since = None
            return None
        if self._since is None:
            self._since = self._now()
        return LowDisk(space.free, self._since)


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
