"""The connections that were refused last, each with what to do about it: for the log, the API and its readers.

One charger that tries again and again is one entry with a count, and one address can't push out the others'. The log
gets a line for an entry when it's new, then ever more seldom; readers of the events hear of it at a bounded rate.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mcpp.bounds import REFUSED_CONNECTIONS, cut
from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.domain.events import ConnectionRefused
from mcpp.ocppj.flow import new_correlation_id
from mcpp.phrases import Phrase, quoted
from mcpp.redaction import redact_text

_WHY_BYTES: Final = 300

_SAID_AGAIN: Final = 300.0
"""Seconds after which a line says that an entry goes on; twice as long each time."""
_SAID_DAILY: Final = 86_400.0
_REASONS_SAID: Final = 4
"""A new reason is said at once, this often for an entry."""
_FIGURES: Final = re.compile(r"\d+")
_SAID_OF_ADDRESS: Final = 10
"""Entries of one address that get lines: one with more tries out what there is."""
_LINES_AT_ONCE: Final = 50
_SECONDS_A_LINE: Final = 10.0
"""In all: so many lines at once, then one in so many seconds."""
_EVENTS_AT_ONCE: Final = 10
_SECONDS_AN_EVENT: Final = 10.0
"""The same for events: a flood takes few places among the last ones that are kept."""

REMEDIES: Final[Mapping[ConnectionOutcome, str]] = {
    ConnectionOutcome.BAD_REQUEST: (
        "set the charger to OCPP over WebSocket (OCPP-J, not SOAP) and type the URL {url} exactly, with ws:// or "
        "wss:// as it stands here"
    ),
    ConnectionOutcome.BAD_PATH: "type the URL {url} into the charger, or turn ocpp-path-strict off",
    ConnectionOutcome.BAD_IDENTITY: (
        "type the URL {url} into the charger, and its identity (charge box id) in the field of its own, or behind the "
        "URL's last slash where there is none"
    ),
    ConnectionOutcome.UNKNOWN_SUBPROTOCOL: "set the charger to OCPP over WebSocket (OCPP-J), version {versions}",
    ConnectionOutcome.UNKNOWN_CHARGE_POINT: (
        "register the charger, if it is yours (on the page Connect a charger, or PUT /api/v1/charge-points/ID), or "
        "type the identity that is registered into it: capital letters count"
    ),
    ConnectionOutcome.UNAUTHORIZED: (
        "type the password that is stored for it into the charger (AuthorizationKey or BasicAuthPassword), its "
        "identity being the user; or store a new one (on its page, or PUT /api/v1/charge-points/ID)"
    ),
    ConnectionOutcome.PROFILE_TOO_LOW: (
        "type the URL {url} into the charger and set its security profile as the reason says, or lower the charger's "
        "security_profile (PUT /api/v1/charge-points/ID)"
    ),
    ConnectionOutcome.CERTIFICATE_REFUSED: "give the charger a certificate of its own that is valid (mcpp ca)",
    ConnectionOutcome.HELD_BACK: (
        "wait a minute; then type the right password into the charger, or give each of two chargers with one identity "
        "its own"
    ),
    ConnectionOutcome.TOO_MANY_CONNECTIONS: (
        "raise max-connections or max-connections-per-address, if these are all your chargers"
    ),
    ConnectionOutcome.TOO_MANY_UNKNOWN: (
        "register the charger (on the page Connect a charger, or PUT /api/v1/charge-points/ID), or raise "
        "unknown-identities-per-hour"
    ),
    ConnectionOutcome.TLS_FAILED: (
        "type the URL {url} into the charger; it must speak TLS 1.2 and trust this server's certificate"
    ),
    ConnectionOutcome.ADMISSION_FAILED: "look at the log for what is wrong with the database; the charger comes again",
    ConnectionOutcome.HANDSHAKE_TIMEOUT: (
        "type the URL {url} into the charger, ws:// or wss:// as it stands here, and look at its network"
    ),
}
"""What to do about each refusal, in terms of `{url}`: the one to type into a charger, which appends its identity; and
of `{versions}`: those of OCPP that it may speak."""

_VERSIONS: Final = "versions"


def remedy_of(outcome: ConnectionOutcome, url: str, versions: str) -> Phrase:
    """What to do about a refusal; `url` is the one to type into chargers, `versions` are those they may speak."""
    return Phrase(REMEDIES[outcome], url=url, versions=versions)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedConnection:
    """Refused connections from one address by one path with one outcome."""

    remote_address: str
    path: str
    """As people get to see it; empty where none was read."""
    charge_point_id: str | None
    """The last one's identity, where that was read."""
    outcome: ConnectionOutcome
    why: str
    """The last one's reason, as a Phrase; empty where none is known."""
    remedy: Phrase
    count: int
    first_at: datetime
    last_at: datetime
    number: int
    """Of the last one, among all that were refused."""


class _Entry:
    __slots__ = (
        "count",
        "first_at",
        "identity",
        "last_at",
        "network",
        "number",
        "reasons",
        "said_at",
        "silence",
        "versions",
        "why",
    )

    def __init__(self, now: datetime, network: Hashable) -> None:
        self.first_at = self.last_at = now
        self.network = network
        self.count = self.number = 0
        self.identity = self.why = self.versions = ""
        self.reasons: set[str] = set()
        """That were said of it, figures aside."""
        self.said_at: float | None = None
        self.silence = _SAID_AGAIN


class _Bucket:
    """So much at once, and one more after each so many seconds."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float]) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._left, self._at = float(most), clock()

    def take(self) -> bool:
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) / self._seconds)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def wait(self) -> float:
        """Seconds until there is one more."""
        return max(0.0, (1 - self._left) * self._seconds)


class RefusedConnections:
    """The last of them. Used on the event loop only."""

    def __init__(
        self,
        charger_url: Callable[[], str],
        tell: Callable[[ConnectionRefused], None],
        now: Callable[[], datetime],
        *,
        network_of: Callable[[str], Hashable] = str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tell` publishes; `network_of` says which addresses are one's own, such as those of one IPv6 network."""
        self._charger_url = charger_url
        self._tell = tell
        self._now = now
        self._network_of = network_of
        self._clock = clock
        self._entries: OrderedDict[tuple[str, str, ConnectionOutcome], _Entry] = OrderedDict()
        """The last one that grew is the last one here."""
        self._networks: dict[Hashable, int] = {}
        """How many entries each has."""
        self._count = 0
        self._lines = _Bucket(_LINES_AT_ONCE, _SECONDS_A_LINE, clock)
        self._events = _Bucket(_EVENTS_AT_ONCE, _SECONDS_AN_EVENT, clock)
        self._alarm: asyncio.TimerHandle | None = None

    def note(
        self, outcome: ConnectionOutcome, *, identity: str, remote: str, path: str, why: str
    ) -> RefusedConnection | None:
        """Add one. Returns its entry where the log should say so now."""
        key = remote, path, outcome
        entry = self._entries.get(key)
        if entry is None:
            network = self._network_of(remote)
            entry = self._entries[key] = _Entry(self._now(), network)
            self._networks[network] = self._networks.get(network, 0) + 1
            if len(self._entries) > REFUSED_CONNECTIONS:
                self._drop_one()
        self._entries.move_to_end(key)
        entry.last_at = self._now()
        entry.count += 1
        self._count += 1
        entry.number = self._count
        entry.identity = identity
        if isinstance(why, Phrase):
            entry.versions = str(why.facts.get(_VERSIONS, ""))  # a refusal for these says which would do
        shown = cut(redact_text(why[: 4 * _WHY_BYTES]), _WHY_BYTES)
        entry.why = why if shown == why and isinstance(why, Phrase) else quoted(shown)
        self._announce()
        return self._shown(key, entry, self._charger_url()) if self._is_to_be_said(entry) else None

    def newest_first(self) -> list[RefusedConnection]:
        """All of them."""
        url = self._charger_url()
        return [self._shown(key, entry, url) for key, entry in reversed(self._entries.items())]

    def _drop_one(self) -> None:
        """The oldest of whoever has the most."""
        crowded = max(self._networks, key=lambda network: self._networks[network])
        oldest = next(key for key, entry in self._entries.items() if entry.network == crowded)
        del self._entries[oldest]
        self._networks[crowded] -= 1
        if not self._networks[crowded]:
            del self._networks[crowded]

    def _is_to_be_said(self, entry: _Entry) -> bool:
        now = self._clock()
        reason = _FIGURES.sub("", entry.why)
        is_new = reason not in entry.reasons and len(entry.reasons) < _REASONS_SAID
        if not is_new and entry.said_at is not None and now - entry.said_at < entry.silence:
            return False
        if self._networks[entry.network] > _SAID_OF_ADDRESS or not self._lines.take():
            return False
        entry.reasons.add(reason)
        if entry.said_at is not None and not is_new:
            entry.silence = min(2 * entry.silence, _SAID_DAILY)
        entry.said_at = now
        return True

    def _announce(self) -> None:
        """Publish the newest one, now or when the next event may go out."""
        if self._alarm is not None:
            return
        if self._events.take():
            self._publish()
        else:
            self._alarm = asyncio.get_running_loop().call_later(self._events.wait(), self._announce_later)

    def _announce_later(self) -> None:
        self._alarm = None
        self._events.take()
        self._publish()

    def _publish(self) -> None:
        key, entry = next(reversed(self._entries.items()))
        shown = self._shown(key, entry, self._charger_url())
        self._tell(
            ConnectionRefused(
                charge_point_id=shown.charge_point_id or "",
                correlation_id=new_correlation_id(),
                at=shown.last_at,
                remote_address=shown.remote_address,
                path=shown.path,
                outcome=shown.outcome.value,
                why=shown.why,
                remedy=shown.remedy,
                count=shown.count,
            )
        )

    def _shown(self, key: tuple[str, str, ConnectionOutcome], entry: _Entry, url: str) -> RefusedConnection:
        remote, path, outcome = key
        return RefusedConnection(
            remote_address=remote,
            path=path,
            charge_point_id=entry.identity or None,
            outcome=outcome,
            why=entry.why,
            remedy=remedy_of(outcome, url, entry.versions),
            count=entry.count,
            first_at=entry.first_at,
            last_at=entry.last_at,
            number=entry.number,
        )
