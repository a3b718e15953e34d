"""What the handlers of all charge points and versions share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final

from mcpp.domain.authorization import Authorization, AuthorizationPolicy
from mcpp.domain.energy import NewestRegister
from mcpp.domain.events import Event
from mcpp.domain.questions import AuthorizationQuestion, DataTransferAnswer, DataTransferQuestion
from mcpp.domain.samples import SampleKind
from mcpp.domain.stamps import StampBook
from mcpp.storage.writer import Writer
from mcpp_generated.db.queries import Queries

_utc_now: Final = partial(datetime.now, UTC)
"""Without a frame of Python's: it runs for every message."""


@dataclass(slots=True)
class Services:
    """The way to the database and to whoever wants to know, and how strict the site is."""

    writer: Writer[Queries]
    publish: Callable[[Iterable[Event]], None]
    policy: AuthorizationPolicy
    heartbeat_interval: int
    """Seconds."""
    stamps: StampBook = field(default_factory=StampBook)
    known_kinds: dict[SampleKind, int] = field(default_factory=dict)
    """Kinds of samples that are committed, by their keys."""
    known_registers: dict[int, NewestRegister] = field(default_factory=dict)
    """The newest registers that are committed, by their connectors' keys."""
    now: Callable[[], datetime] = _utc_now
    on_authorization_key: Callable[[int, str], Awaitable[None]] | None = None
    """Called with a charge point's key and the password that it accepted for its basic authentication."""
    ask_authorize: Callable[[AuthorizationQuestion], Awaitable[Authorization | None]] | None = None
    """A site's own verdict, None for the database's; there only where somebody gives verdicts."""
    ask_data_transfer: Callable[[DataTransferQuestion], Awaitable[DataTransferAnswer | None]] | None = None
    """A site's own answer to a vendor's message; there only where somebody answers."""
