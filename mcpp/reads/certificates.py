"""Signing requests and certificates of the built-in authority, and roll-outs of security profile 3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from mcpp.reads.paging import Cursors, Page, PageQuery, RowId, newest_first
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.enums import CertificateState, RollOutStage, StepState
from mcpp_generated.db.models import Certificate, RollOutStep

_CURSORS: Final[Cursors[Certificate, tuple[RowId]]] = newest_first(lambda row: row.id)


class CertificateQuery(PageQuery):
    """Filters of the list; all that are given must hold."""

    charge_point_id: str | None = None
    status: CertificateState | None = None


class RollOutState(StrEnum):
    """How a roll-out is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a roll-out."""

    step: RollOutStage
    state: StepState
    answer: str | None
    """What the charge point said, or why it failed."""
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RollOut:
    """How far the roll-out of security profile 3 to a charge point is."""

    charge_point_id: str
    state: RollOutState
    steps: Sequence[Step]
    """In their order."""


async def list_page(pool: ReaderPool, query: CertificateQuery) -> Page[Certificate]:
    """Requests and certificates, the newest first. Raises BadCursor."""
    (before_id,) = _CURSORS.start(query)
    page_size = query.limit + 1
    identity, status = query.charge_point_id, query.status
    async with pool.reader() as q:
        if identity is None and status is None:
            rows = await q.list_certificates(before_id=before_id, page_size=page_size)
        elif identity is None:
            assert status is not None
            rows = await q.list_certificates_by_status(status=status, before_id=before_id, page_size=page_size)
        elif status is None:
            rows = await q.list_certificates_of_charge_point(
                charge_point_id=identity, before_id=before_id, page_size=page_size
            )
        else:
            rows = await q.list_certificates_of_charge_point_by_status(
                charge_point_id=identity, status=status, before_id=before_id, page_size=page_size
            )
    return _CURSORS.page(rows, query)


async def find(pool: ReaderPool, certificate_id: int) -> Certificate | None:
    """One of them."""
    async with pool.reader() as q:
        return await q.get_certificate(id=certificate_id)


async def find_roll_out(pool: ReaderPool, identity: str) -> RollOut | None:
    """A charge point's roll-out; None where none was ever begun, or there is no such charge point."""
    async with pool.reader() as q:
        known = await q.get_charge_point(identity=identity)
        steps = [] if known is None else await q.list_roll_out_steps(charge_point_key=known.key)
    return roll_out_of(identity, steps) if steps else None


def roll_out_of(identity: str, steps: Sequence[RollOutStep]) -> RollOut:
    """What the steps say of the whole."""
    states = {step.state for step in steps}
    if StepState.FAILED in states:
        state = RollOutState.FAILED
    else:
        state = RollOutState.RUNNING if StepState.WAITING in states else RollOutState.DONE
    return RollOut(
        charge_point_id=identity,
        state=state,
        steps=[
            Step(step=step.step, state=step.state, answer=step.answer, changed_at=step.changed_at) for step in steps
        ],
    )
