"""A statement as rows of a table: for CSV, a line for each session and correction, and one for the sum."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from mcpp.domain.prices import spell_decimal
from mcpp.reads.csv_text import Value
from mcpp.reads.statements import Correction, Figure, Session, Statement

COLUMNS: Final = (
    "kind",
    "transaction_id",
    "charge_point_id",
    "connector_id",
    "id_tag",
    "started_at",
    "stopped_at",
    "meter_start",
    "meter_stop",
    "energy_wh",
    "price_per_kwh",
    "amount",
    "currency",
    "previous_energy_wh",
    "previous_amount",
    "note",
    "evse_id",
)
"""kind: session, correction, implausible or sum. energy_wh and amount: what is added, so that each column adds up."""

READABLE: Final = frozenset({"price_per_kwh", "amount", "previous_amount"})
"""Texts that a spreadsheet may take for the numbers that they are."""


def rows_of(statement: Statement) -> Iterator[dict[str, Value]]:
    """Sessions, corrections, those left out, and the sum of the first two."""
    currency = statement.currency
    for session in statement.sessions:
        said = session.figure
        yield _row("session", session, said, said.energy_wh, said.amount, currency, _why(said))
    for correction in statement.corrections:
        figure, before = correction.after or correction.before, correction.before
        why = None if figure is None else _why(figure)
        note = " ".join(filter(None, (correction.reason.value, why)))
        yield _row("correction", correction, figure, correction.energy_wh, correction.amount, currency, note, before)
    for session in statement.implausible:
        yield _row("implausible", session, session.figure, None, None, currency, _why(session.figure))
    whole = {"energy_wh": statement.energy_wh, "amount": _money(statement.amount), "currency": currency}
    yield dict.fromkeys(COLUMNS) | {"kind": "sum"} | whole


def _row(
    kind: str,
    of: Session | Correction,
    figure: Figure | None,
    energy_wh: int | None,
    amount: Decimal | None,
    currency: str | None,
    note: str | None,
    before: Figure | None = None,
) -> dict[str, Value]:
    values: tuple[Value, ...] = (
        kind,
        of.transaction_id,
        of.charge_point_id,
        of.connector_id,
        of.id_tag,
        of.started_at,
        figure and figure.stopped_at,
        of.meter_start,
        figure and figure.meter_stop,
        energy_wh,
        figure and _money(figure.price_per_kwh),
        _money(amount),
        currency,
        before and before.energy_wh,
        before and _money(before.amount),
        note,
        of.evse_id or None,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _money(value: Decimal | None) -> Value:
    return None if value is None else spell_decimal(value)


def _why(figure: Figure) -> str | None:
    """What of a figure isn't plain: why it can't be true, or who says it and why."""
    if figure.implausible_reason is not None:
        return figure.implausible_reason.value
    return None if figure.corrected_by is None else f"{figure.corrected_by}: {figure.correction_note or ''}"
