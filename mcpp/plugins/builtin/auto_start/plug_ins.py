"""What auto-start remembers: a plug-in for each connector that is `Preparing`.

It begins with `Preparing` and lasts until the connector is `Available`. So neither repeats nor a way back from
`Finishing` begin another: a session that somebody stopped stays stopped until the car is plugged in anew. Where the
charge point was away or has booted in between, nobody knows what was stopped by whom, and a car that waits is served.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from mcpp.domain.events import ConnectorStatusChanged
from mcpp.domain.memory import NO_EVSE
from mcpp.domain.statuses import awaits_start, had_transaction, is_free
from mcpp.plugins.site import Scheduled
from mcpp.reads.connector_names import Numbers

_JOINING: Final = timedelta(minutes=2)
"""In which a charge point that connected or booted reports how its connectors stand."""

_CLOCK_TOLERANCE: Final = timedelta(minutes=1)
"""A transaction that began longer than this before a plug-in came late from an offline queue and isn't its own."""


@dataclass(slots=True, eq=False)
class PlugIn:
    """A cable in a connector that is `Preparing`, and how far its start has come."""

    charge_point_id: str
    numbers: Numbers
    """The connector's."""
    since: datetime
    served: bool = False
    """It has had its transaction."""
    given_up: bool = False
    tries: int = 0
    job: Scheduled | None = None
    """The next try, while it waits for its time."""
    session_correlation_id: str | None = None
    held_by: str | None = None
    """What stands against a start, as last logged."""
    last_outcome: str = ""

    @property
    def is_due(self) -> bool:
        """Whether a try waits for its time."""
        return self.job is not None

    @property
    def subject(self) -> dict[str, str | int]:
        """What each log line says of it."""
        subject: dict[str, str | int] = {
            "category": "transaction",
            "charge_point_id": self.charge_point_id,
            "connector_id": self.numbers[1],
        }
        if self.numbers[0] != NO_EVSE:
            subject["evse_id"] = self.numbers[0]
        if self.session_correlation_id is not None:
            subject["session_correlation_id"] = self.session_correlation_id
        return subject

    def serve(self, started_at: datetime) -> None:
        """A transaction began on the connector."""
        if self.since - started_at <= _CLOCK_TOLERANCE:  # at the ends of time only differences exist
            self.served = True
            self.cancel()

    def cancel(self) -> None:
        """Take back the next try."""
        if self.job is not None:
            self.job.cancel()
            self.job = None


@dataclass(slots=True)
class PlugIns:
    """Those of one charge point."""

    charge_point_id: str
    by_connector: dict[Numbers, PlugIn] = field(default_factory=dict)
    stopped: set[Numbers] = field(default_factory=set)
    """Connectors that are `Preparing` after a transaction of the same plug-in; kept over restarts."""
    look: Scheduled | None = None
    _joined_at: datetime | None = None
    _reported: set[Numbers] = field(default_factory=set)
    """Connectors with news since then."""

    def join(self, at: datetime) -> None:
        """The charge point connected or booted: what it reports first is news of a time that nobody saw."""
        self._joined_at = at
        self._reported.clear()

    def boot(self, at: datetime) -> None:
        """A boot ends what was served, not what was given up: a start may be what makes the charge point boot."""
        self.join(at)
        self.stopped.clear()
        for plug_in in [known for known in self.by_connector.values() if known.served]:
            self._end(plug_in.numbers)

    def find(self, numbers: Numbers, since: datetime, session_correlation_id: str | None) -> PlugIn:
        """The plug-in of a connector that is `Preparing`, new where none is known."""
        plug_in = self.by_connector.get(numbers)
        if plug_in is None:
            plug_in = PlugIn(self.charge_point_id, numbers, since, served=numbers in self.stopped)
            self.by_connector[numbers] = plug_in
        plug_in.session_correlation_id = session_correlation_id
        return plug_in

    def follow(self, event: ConnectorStatusChanged) -> PlugIn | None:
        """Begin, go on with or end a plug-in. Returns it where the connector is `Preparing`."""
        numbers = event.evse_id, event.connector_id
        saw_what_was_before = self._saw_before(event)
        if is_free(event.status) or had_transaction(event.status):
            self._end(numbers)
        if not awaits_start(event.status):
            return None
        if is_free(event.previous_status):
            self._end(numbers)
        elif had_transaction(event.previous_status) and saw_what_was_before:
            self.stopped.add(numbers)
        return self.find(numbers, event.reported_at, event.session_correlation_id)

    def _saw_before(self, event: ConnectorStatusChanged) -> bool:
        """Whether nothing was missed between the connector's previous status and this one."""
        numbers = event.evse_id, event.connector_id
        is_first = numbers not in self._reported
        self._reported.add(numbers)
        return not is_first or self._joined_at is None or event.at - self._joined_at > _JOINING

    def _end(self, numbers: Numbers) -> None:
        self.stopped.discard(numbers)
        plug_in = self.by_connector.pop(numbers, None)
        if plug_in is not None:
            plug_in.cancel()
