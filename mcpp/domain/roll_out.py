"""The roll-out of security profile 3 to a charge point: its steps, which survive a restart, and what comes next.

The authority's own certificate is installed, so that the charge point can check this server; it is asked for a signing
request, which the roll-out approves; it takes the certificate made of that; its security profile is raised; it comes
back with the certificate. A step that fails stops the roll-out, until an operator begins it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from mcpp.domain.charge_points import is_authenticated
from mcpp.domain.errors import Conflict, Unknown, no_charge_point
from mcpp.domain.events import RollOutProgressed
from mcpp.domain.occasion import Occasion, OperatorOccasion, Result
from mcpp.phrases import Phrase
from mcpp_generated.db.enums import CertificateState, RollOutStage, StepState
from mcpp_generated.db.models import RollOutStep
from mcpp_generated.db.queries import Queries

CERTIFICATE: Final = RollOutStage.CERTIFICATE

_STAGES: Final = tuple(RollOutStage)
"""In their order."""

_SEEN_BY_PROFILE: Final = frozenset({RollOutStage.SECURITY_PROFILE, RollOutStage.RECONNECT})
"""Steps that a charge point has done where it connects by the highest profile."""

HIGHEST_PROFILE: Final = 3
"""TLS with a certificate of the charge point's own (security whitepaper)."""

REQUEST_LIMIT: Final = timedelta(minutes=15)
"""How long a charge point may take from the trigger to its signing request: it may have to make a key first."""

LIMIT: Final = timedelta(hours=24)
"""How long any other step may wait: what a roll-out approves mustn't stay approved for ever."""

RESTART_AFTER: Final = timedelta(seconds=60)
"""How long a charge point has to come back by itself after its profile was raised."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """Send a certificate."""

    key: int
    certificate: str
    """PEM."""
    request_id: int | None = None
    """The charge point's own number of its request, if it gave one."""


@dataclass(frozen=True, slots=True)
class Perform:
    """Do a step of the roll-out."""

    key: int
    stage: RollOutStage


@dataclass(frozen=True, slots=True)
class Wait:
    """It's the charge point's turn."""


Task: TypeAlias = Deliver | Perform | Wait


def begin(q: Queries, occasion: OperatorOccasion, identity: str) -> Result[list[RollOutStep]]:
    """Begin the roll-out; one that runs goes on, one that failed does so from where it failed. Returns its steps.

    Raises Unknown, and Conflict for a charge point that hasn't proven who it is.
    """
    known = q.get_charge_point(identity=identity)
    if known is None:
        raise Unknown(no_charge_point(identity))
    if not is_authenticated(known):
        raise Conflict(
            Phrase(
                "{identity} has not proven who it is; give it a password and let it connect with that first",
                identity=identity,
            )
        )
    steps = q.list_roll_out_steps(charge_point_key=known.key)
    if not _runs(steps):
        first = _repeated_from(steps)
        for position, stage in enumerate(_STAGES):
            if position >= first:
                _put(q, known.key, stage, StepState.WAITING, None, occasion.at)
    return Result(q.list_roll_out_steps(charge_point_key=known.key))


def next_task(q: Queries, operators: OperatorOccasion, identity: str, *, needs_restart: bool) -> Result[Task | None]:
    """What is to be done for a charge point now; None where there is nothing left.

    `needs_restart`: it has said that it does what it accepted once it is restarted.
    """
    known = q.get_charge_point(identity=identity)
    if known is None:
        return Result(None)
    occasion = operators.about(known.key, identity)
    to_deliver = next(
        (
            Deliver(known.key, it.certificate, it.request_id)
            for it in q.list_certificates_of_key(charge_point_key=known.key)
            if it.status is CertificateState.APPROVED
            and it.certificate is not None
            and it.expires_at is not None
            and it.expires_at > occasion.at
        ),
        None,
    )
    if to_deliver is not None:
        return Result(to_deliver)
    events: tuple[RollOutProgressed, ...] = ()
    step = _current(q, known.key)
    while step is not None and step.step in _SEEN_BY_PROFILE and known.highest_profile >= HIGHEST_PROFILE:
        events += _settle(q, occasion, known.key, step, StepState.DONE, "it has connected with a certificate")
        step = _current(q, known.key)
    if step is None:
        return Result(None, events)
    limit = REQUEST_LIMIT if step.step is CERTIFICATE else LIMIT
    if occasion.at - step.changed_at > limit:
        text = f"nothing came of it in {int(limit.total_seconds() // 60)} minutes"
        return Result(None, _settle(q, occasion, known.key, step, StepState.FAILED, text))
    return Result(Perform(known.key, step.step) if _is_ours(q, occasion, step, needs_restart) else Wait(), events)


def _is_ours(q: Queries, occasion: Occasion, step: RollOutStep, needs_restart: bool) -> bool:
    """Whether a step is for this side to do now: a restart is asked for once, and not while somebody charges."""
    if step.step is RollOutStage.RECONNECT:
        is_time = needs_restart or occasion.at - step.changed_at > RESTART_AFTER
        return (
            step.answer is None and is_time and not q.find_open_on_charge_point(charge_point_key=step.charge_point_key)
        )
    return step.step is not CERTIFICATE


def settle_current(
    q: Queries, occasion: Occasion, stage: RollOutStage, state: StepState, answer: str
) -> tuple[RollOutProgressed, ...]:
    """Keep how a step ended, where it's that one's turn; returns the events."""
    step = _current(q, occasion.charge_point_key)
    if step is None or step.step is not stage:
        return ()
    return _settle(q, occasion, occasion.charge_point_key, step, state, answer)


def settle(q: Queries, occasion: Occasion, stage: RollOutStage, state: StepState, answer: str) -> Result[None]:
    """As `settle_current`, as a unit of its own; a step that goes on waiting keeps the answer."""
    return Result(None, settle_current(q, occasion, stage, state, answer))


def waits_for_request(q: Queries, occasion: Occasion) -> bool:
    """Whether a roll-out wants a signing request: one may come before the trigger's own answer is stored."""
    step = _current(q, occasion.charge_point_key)
    if step is None or occasion.at - step.changed_at > LIMIT:
        return False
    return step.step in {RollOutStage.REQUEST_CERTIFICATE, CERTIFICATE}


def request_came(q: Queries, occasion: Occasion) -> tuple[RollOutProgressed, ...]:
    """A signing request is there, be it that the answer to the trigger isn't, or never comes; returns the events."""
    return settle_current(q, occasion, RollOutStage.REQUEST_CERTIFICATE, StepState.DONE, "a signing request came")


def request_refused(q: Queries, occasion: Occasion, reason: str) -> tuple[RollOutProgressed, ...]:
    """A roll-out that waits for a signing request has failed with it; returns the events."""
    if not waits_for_request(q, occasion):
        return ()
    step = _current(q, occasion.charge_point_key)
    assert step is not None
    return _settle(q, occasion, occasion.charge_point_key, step, StepState.FAILED, reason)


def _runs(steps: Sequence[RollOutStep]) -> bool:
    states = {step.state for step in steps}
    return StepState.WAITING in states and StepState.FAILED not in states


def _repeated_from(steps: Sequence[RollOutStep]) -> int:
    """The position of the first step to do again; a certificate that wasn't taken must be asked for again."""
    failed = next((step for step in steps if step.state is StepState.FAILED), None)
    if failed is None:
        return 0
    return failed.position - (1 if failed.step is CERTIFICATE else 0)


def _current(q: Queries, charge_point_key: int) -> RollOutStep | None:
    """The step whose turn it is; None where no roll-out runs."""
    steps = q.list_roll_out_steps(charge_point_key=charge_point_key)
    return next((step for step in steps if step.state is StepState.WAITING), None) if _runs(steps) else None


def _settle(
    q: Queries, occasion: Occasion, charge_point_key: int, step: RollOutStep, state: StepState, answer: str
) -> tuple[RollOutProgressed, ...]:
    _put(q, charge_point_key, step.step, state, answer, occasion.at)
    following = step.position + 1
    if state is StepState.DONE and following < len(_STAGES):
        # Its time begins to run.
        _put(q, charge_point_key, _STAGES[following], StepState.WAITING, None, occasion.at)
    progressed = RollOutProgressed(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        step=step.step,
        state=state,
        answer=answer,
    )
    return (progressed,)


def _put(
    q: Queries, charge_point_key: int, stage: RollOutStage, state: StepState, answer: str | None, at: datetime
) -> None:
    q.put_roll_out_step(
        charge_point_key=charge_point_key,
        position=_STAGES.index(stage),
        step=stage,
        state=state,
        answer=answer,
        changed_at=at,
    )
