"""How samples are stored: those of one moment share a row, and what is there already stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Final, TypeAlias

import orjson

from mcpp.domain.energy import ENERGY_SEPARATOR
from mcpp.domain.evidence import Origin
from mcpp.domain.samples import EnergyMeaning, Sample, SampleKind
from mcpp_generated.db.models import AddConnectorReadingsParams, AddTransactionReadingsParams
from mcpp_generated.db.queries import Queries

KindId: TypeAlias = Callable[[SampleKind], int]
"""Looks up the key that a kind of sample has in the database, or gives it one."""

_MANY: Final = 8
"""Moments from which they go to the database in one statement: the writer's thread lets go of the interpreter between
two, and under load waits for it half a millisecond or more each time. A statement for many is slower for a few."""

LONGEST_ENERGY: Final = 100
"""Characters of a number that is worth reading, with its kind's key."""

_NUL: Final = "\0"
_IN_ITS_PLACE: Final = "\N{REPLACEMENT CHARACTER}"
"""SQLite's JSON ends a text at a NUL."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Added(Enum):
    """How many of some samples were new."""

    ALL = auto()
    SOME = auto()
    NONE = auto()


class Moment:
    """The samples of one moment, each once."""

    __slots__ = ("energy", "texts")

    def __init__(self) -> None:
        self.texts: dict[str, None] = {}
        """How they are stored, in the order sent."""
        self.energy: list[tuple[str, EnergyMeaning, str]] = []
        """Those that speak of energy: how they are stored, what they mean, and the value."""

    def as_list(self) -> str:
        """As the database has them."""
        return orjson.dumps(list(self.texts)).decode()

    def energy_texts(self) -> str | None:
        """What of it speaks of energy."""
        energy = self.energy
        if not energy:
            return None
        return energy[0][0] if len(energy) == 1 else ENERGY_SEPARATOR.join(text for text, _, _ in energy)

    def speaks(self, text: str) -> bool:
        """Whether that one speaks of energy."""
        return any(text == speaking for speaking, _, _ in self.energy)


def moments_of(samples: Sequence[Sample], kind_id: KindId) -> dict[datetime, Moment]:
    """The samples by their moment."""
    moments: dict[datetime, Moment] = {}
    last: datetime | None = None
    moment = Moment()
    for measured_at, kind, value, _ in samples:
        if measured_at is not last:
            last, moment = measured_at, moments.get(measured_at) or moments.setdefault(measured_at, Moment())
        text = f"{kind_id(kind)} {value.replace(_NUL, _IN_ITS_PLACE) if _NUL in value else value}"
        # A text that is no number may be long, and is no reading.
        is_new = kind.energy is not None and text not in moment.texts
        moment.texts[text] = None
        if is_new and kind.energy is not None and len(text) <= LONGEST_ENERGY and ENERGY_SEPARATOR not in text:
            moment.energy.append((text, kind.energy, value))
    return moments


def store_in_transaction(
    q: Queries,
    transaction_id: int,
    samples: Sequence[Sample],
    received_at: datetime,
    origin: Origin,
    kind_id: KindId,
) -> Added:
    """Store samples of a transaction; those it has already change nothing."""
    return add_readings(q, transaction_id, moments_of(samples, kind_id), origin, received_at)


def add_readings(
    q: Queries, transaction_id: int, moments: Mapping[datetime, Moment], origin: Origin, received_at: datetime
) -> Added:
    """The same for samples that are sorted by their moments."""
    if len(moments) < _MANY:
        added = q.add_transaction_readings(
            [
                AddTransactionReadingsParams(
                    transaction_id, measured_at, moment.as_list(), moment.energy_texts(), origin, received_at
                )
                for measured_at, moment in moments.items()
            ]
        )
    else:
        added = q.add_many_transaction_readings(
            transaction_id=transaction_id,
            origin=origin,
            received_at=received_at,
            readings=_as_json(
                [(stored_time(at), moment.as_list(), moment.energy_texts()) for at, moment in moments.items()]
            ),
        )
    if added == len(moments):
        return Added.ALL
    late = [
        (stored_time(measured_at), text, position, text if moment.speaks(text) else None)
        for measured_at, moment in moments.items()
        for position, text in enumerate(moment.texts)
    ]
    added_late = q.add_late_transaction_samples(
        transaction_id=transaction_id, origin=origin, received_at=received_at, readings=_as_json(late)
    )
    if added:
        return Added.SOME
    return Added.ALL if added_late == len(late) else Added.SOME if added_late else Added.NONE


def store_at_connector(
    q: Queries, connector_key: int, samples: Sequence[Sample], received_at: datetime, kind_id: KindId
) -> None:
    """Store samples that no transaction was running for; those its connector has already change nothing."""
    moments = moments_of(samples, kind_id)
    if len(moments) < _MANY:
        added = q.add_connector_readings(
            AddConnectorReadingsParams(connector_key, measured_at, moment.as_list(), received_at)
            for measured_at, moment in moments.items()
        )
    else:
        added = q.add_many_connector_readings(
            connector_key=connector_key,
            received_at=received_at,
            readings=_as_json([(stored_time(at), moment.as_list()) for at, moment in moments.items()]),
        )
    if added < len(moments):
        late = [
            (stored_time(measured_at), text, position)
            for measured_at, moment in moments.items()
            for position, text in enumerate(moment.texts)
        ]
        q.add_late_connector_samples(connector_key=connector_key, received_at=received_at, readings=_as_json(late))


def stored_time(moment: datetime) -> int:
    """A time as the database has it, in JSON where the generated functions don't see it."""
    return (moment - _EPOCH) // _MILLISECOND


def _as_json(rows: Sequence[tuple[int | str | None, ...]]) -> str:
    return orjson.dumps(rows).decode()
