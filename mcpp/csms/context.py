"""What a handler is given: who calls, and the way to the books."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Concatenate, ParamSpec, TypeVar

from mcpp.domain.authorization import Authorization, AuthorizationPolicy
from mcpp.domain.energy import NewestRegister
from mcpp.domain.events import Event
from mcpp.domain.occasion import Occasion, Result
from mcpp.domain.questions import AuthorizationQuestion, DataTransferAnswer, DataTransferQuestion
from mcpp.domain.samples import SampleKind
from mcpp.domain.stamps import StampBook
from mcpp.ocppj.errors import CallFault, ErrorCode, Unanswerable
from mcpp.ocppj.flow import Flow, Step, new_correlation_id
from mcpp.storage.writer import Receipt, WriteFailed, Writer
from mcpp_generated.db.queries import Queries

P = ParamSpec("P")
T = TypeVar("T")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Services:
    """What the handlers of all charge points share."""

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
    """Told of a charge point, by its key, and the password that it accepted for its basic authentication."""
    ask_authorize: Callable[[AuthorizationQuestion], Awaitable[Authorization | None]] | None = None
    """A site's own verdict, None for the books'; there only where somebody gives verdicts."""
    ask_data_transfer: Callable[[DataTransferQuestion], Awaitable[DataTransferAnswer | None]] | None = None
    """A site's own answer to a vendor's message; there only where somebody answers."""


class CallContext:
    """One incoming CALL: its flow, its time of receipt, and its events, which wait for the answer."""

    __slots__ = ("_events", "_flow", "received_at", "services")

    def __init__(self, services: Services, flow: Flow) -> None:
        self.services = services
        self.received_at = services.now()
        self._flow = flow
        self._events: tuple[Event, ...] = ()

    @property
    def key(self) -> int:
        """The charge point's key in the database."""
        return self._flow.peer.key

    def occasion(self) -> Occasion:
        """The cause of what the handler does, for the domain."""
        flow = self._flow
        return Occasion(flow.peer.key, flow.peer.identity, flow.correlation_id, self.received_at, new_correlation_id)

    def tell(self, *events: Event) -> None:
        """Publish events once the answer is on its way."""
        if events:
            self._events += events
            self._flow.after_answer = self._publish

    async def write(
        self, function: Callable[Concatenate[Queries, Occasion, P], Result[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a domain function in the next write transaction; returns once that is committed.

        Raises Unanswerable where it could not be stored: the charge point will say it again.
        """
        receipt = Receipt()
        try:
            outcome = await self.services.writer.submit_for(receipt, function, self.occasion(), *args, **kwargs)
        except WriteFailed as error:
            raise Unanswerable(str(error)) from error
        except OverflowError as error:
            # The contract sets no bounds to integers, the database does: 64 bits.
            raise CallFault(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "a number has more than 64 bits") from error
        finally:
            self._note_write(receipt)
        if outcome.session is not None:
            self._flow.session_correlation_id, self._flow.transaction_id = outcome.session
        self.tell(*outcome.events)
        return outcome.value

    async def read(self, function: Callable[Concatenate[Queries, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a domain function that only reads, in its turn among the writes, so that it sees all before it."""
        receipt = Receipt()
        try:
            return await self.services.writer.submit_for(receipt, function, *args, **kwargs)
        except WriteFailed as error:
            raise Unanswerable(str(error)) from error
        finally:
            self._note_write(receipt)

    async def ask_authorize(
        self, id_tag: str, by_the_books: Authorization, connector_id: int | None = None
    ) -> Authorization:
        """The site's own verdict on an id tag, else the books'."""
        ask = self.services.ask_authorize
        if ask is None:
            return by_the_books
        question = AuthorizationQuestion(
            charge_point_id=self._flow.peer.identity,
            correlation_id=self._flow.correlation_id,
            connector_id=connector_id,
            id_tag=id_tag,
            by_the_books=by_the_books,
        )
        began = perf_counter()
        verdict = await ask(question)
        self._note("plugin_question", began)
        return verdict or by_the_books

    async def ask_data_transfer(
        self, vendor_id: str, message_id: str | None, data: str | None
    ) -> DataTransferAnswer | None:
        """The site's own answer to a vendor's message, None where it has none."""
        ask = self.services.ask_data_transfer
        if ask is None:
            return None
        question = DataTransferQuestion(
            charge_point_id=self._flow.peer.identity,
            correlation_id=self._flow.correlation_id,
            vendor_id=vendor_id,
            message_id=message_id,
            data=data,
        )
        began = perf_counter()
        answer = await ask(question)
        self._note("plugin_question", began)
        return answer

    def _note(self, name: str, began: float) -> None:
        self._flow.steps.append(Step(name, began, perf_counter() - began))

    def _note_write(self, receipt: Receipt) -> None:
        """Where the time went, for the flow's lines and spans."""
        seconds = perf_counter() - receipt.submitted
        facts = {
            "wait_seconds": receipt.waited,
            "batch_seconds": receipt.batch_seconds,
            "batch_size": receipt.batch_size,
        }
        self._flow.steps.append(Step("database_write", receipt.submitted, seconds, facts))

    def _publish(self) -> None:
        self.services.publish(self._events)
