"""What a charge point's answers to our CALLs mean: a change of the database, the next CALL, or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import BaseModel

from mcpp.csms.calls import note_left_out
from mcpp.csms.offers import Offer
from mcpp.csms.services import Services
from mcpp.domain.occasion import Occasion, Result
from mcpp.ocppj.actions import Action, Req, Res
from mcpp.ocppj.flow import Flow, NextCall, new_correlation_id
from mcpp.storage.engine import is_number_too_large
from mcpp.storage.pending import Pending
from mcpp_generated.db.queries import Queries

Change: TypeAlias = Callable[[Queries, Occasion], Result[None]]
"""A change of the database that an answer stands for."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What follows from one answer."""

    change: Change | None = None
    next_call: NextCall | None = None
    """Goes to the same charge point, once the change is stored."""
    takes_password: bool | None = None
    """Whether the charge point will use the password that the CALL gave it; None where it gave none."""


AnyMeaning: TypeAlias = Callable[[BaseModel, BaseModel], Meaning | None]
"""From request and response of one action; None where nothing follows."""


def means(action: Action[Req, Res], meaning: Callable[[Req, Res], Meaning | None]) -> tuple[str, AnyMeaning]:
    """One row of a version's table: the action's name, and its types wrapped up."""

    def of_any(request: BaseModel, response: BaseModel) -> Meaning | None:
        assert isinstance(request, action.request)
        assert isinstance(response, action.response)
        return meaning(request, response)

    return action.name, of_any


def apply(services: Services, flow: Flow, meaning: Meaning, offer: Offer | None = None) -> Awaitable[None]:
    """Store what an answer means, and note the CALL that follows on its flow.

    It takes its place among the writes at once, so that what the charge point sends next comes after it; the awaitable
    is through when it's committed. Raises WriterClosed, the awaitable WriteFailed.
    """
    stored = None
    if meaning.change is not None:
        occasion = Occasion(flow.peer.key, flow.peer.identity, flow.correlation_id, services.now(), new_correlation_id)
        stored = services.writer.submit_about(occasion.charge_point_key, meaning.change, occasion)
    return _finish(services, flow, meaning, stored, offer)


async def _finish(
    services: Services, flow: Flow, meaning: Meaning, stored: Pending[Result[None]] | None, offer: Offer | None
) -> None:
    if offer is not None and meaning.takes_password is not None:
        await offer.answered(accepted=meaning.takes_password)
    if stored is not None:
        try:
            result = await stored
        except OverflowError as error:
            if not is_number_too_large(error):
                raise
            # The contract sets no bounds to integers, the database does: such a number belongs to nothing stored.
            return
        if result.left_out:
            note_left_out(flow, result.left_out)
        services.publish(result.events)
    if meaning.next_call is not None:
        flow.next_calls += (meaning.next_call,)
