"""An incoming CALL on its way to its handler: routed, decoded and given a context, and its answer on the way back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from time import perf_counter
from typing import Concatenate, ParamSpec, TypeAlias, TypeVar, cast

from pydantic import BaseModel, ValidationError

from mcpp.csms.decoding import SubjectReader, repaired, thinned_request, widened, widening
from mcpp.csms.narrowing import encoder
from mcpp.csms.services import Services
from mcpp.domain.authorization import Authorization
from mcpp.domain.events import Event
from mcpp.domain.memory import NO_EVSE, as_stored
from mcpp.domain.occasion import LeftOut, Occasion, Result
from mcpp.domain.questions import AuthorizationQuestion, DataTransferAnswer, DataTransferQuestion
from mcpp.ocppj.actions import Action, AnyAction, EncodedResponse, Req, Res
from mcpp.ocppj.actions import Send as SendAction
from mcpp.ocppj.crowded import LARGE
from mcpp.ocppj.errors import CallFault, ErrorCode, Unanswerable
from mcpp.ocppj.flow import Deviation, Flow, NextCall, Step, new_correlation_id
from mcpp.ocppj.frames import Call, Send
from mcpp.ocppj.readers import Repairs
from mcpp.storage.engine import is_number_too_large
from mcpp.storage.pending import Pending, WriteFailed
from mcpp_generated.db.queries import Queries

P = ParamSpec("P")
T = TypeVar("T")

Handler: TypeAlias = "Callable[[CallContext, Req], Res | EncodedResponse[Res] | Pending[Res] | Awaitable[Res]]"
"""Value in, value out.

One that waits for nothing returns its response, one that waits for the database alone a Pending one: neither costs a
task. Any other is `async`.
"""

Answer: TypeAlias = bytes | Pending[bytes] | Awaitable[bytes]
"""A response payload as JSON, now or later."""


class CallContext:
    """One incoming CALL: who sent it, its time of receipt, the way to the database, and what follows the answer."""

    __slots__ = ("_events", "_flow", "received_at", "services")

    def __init__(self, services: Services, flow: Flow, received_at: datetime | None = None) -> None:
        self.services = services
        self.received_at = received_at or services.now()
        self._flow = flow
        self._events: tuple[Event, ...] = ()

    @property
    def key(self) -> int:
        """The charge point's key in the database."""
        return self._flow.peer.key

    @property
    def charge_point_id(self) -> str:
        """The identity that the charge point connects with."""
        return self._flow.peer.identity

    @property
    def size_bytes(self) -> int:
        """Of its frame."""
        return self._flow.size_bytes

    def occasion(self) -> Occasion:
        """The cause of what the handler does, for the domain."""
        flow = self._flow
        return Occasion(flow.peer.key, flow.peer.identity, flow.correlation_id, self.received_at, new_correlation_id)

    def is_own_time(self, moment: datetime) -> bool:
        """Whether the charge point told this time of its request: where it tells none, the time of receipt stands."""
        return moment != self.received_at

    @property
    def is_send(self) -> bool:
        """Whether it came as a SEND, which is never answered."""
        return self._flow.is_send

    def note_deviation(self, rule: str, location: str = "") -> None:
        """Note a departure from the contract that is tolerated."""
        self._flow.deviations.append(Deviation(rule, location))

    def publish(self, *events: Event) -> None:
        """Publish events once the answer is on its way."""
        if events:
            self._events += events
            self._flow.after_answer = self._publish

    def call_next(self, call: NextCall) -> None:
        """Send a CALL to the same charge point once the answer is on its way, as part of the same flow."""
        self._flow.next_calls += (call,)

    def write(
        self, function: Callable[Concatenate[Queries, Occasion, P], Result[T]], *args: P.args, **kwargs: P.kwargs
    ) -> Pending[T]:
        """Run a domain function in the next write transaction; its value is there once that is committed.

        Raises Unanswerable where it could not be stored: the charge point will send it again.
        """
        writer, occasion = self.services.writer, self.occasion()
        return self._stored(writer.submit_about(occasion.charge_point_key, function, occasion, *args, **kwargs))

    def write_keeping(
        self, function: Callable[Concatenate[Queries, Occasion, P], Result[T]], *args: P.args, **kwargs: P.kwargs
    ) -> Pending[T]:
        """As `write`, for a function that keeps what is remembered of its charge point up to date by itself."""
        return self._stored(self.services.writer.submit_keeping(function, self.occasion(), *args, **kwargs))

    def read(self, function: Callable[Concatenate[Queries, P], T], *args: P.args, **kwargs: P.kwargs) -> Pending[T]:
        """Run a domain function that only reads, in its turn among the writes, so that it sees all before it."""
        pending = self.services.writer.submit_keeping(function, *args, **kwargs)
        self._flow.steps.append(pending)
        return pending.then(_unchanged, _as_fault)

    def learn(
        self, id_tag: str, stored_verdict: Authorization, connector_id: int | None = None, evse_id: int = NO_EVSE
    ) -> Authorization | None:
        """The verdict on a card that is being learnt, whatever others say of it; None for any other."""
        if stored_verdict.stored:
            return None
        peer, learning = self._flow.peer, self.services.learning
        return learning.verdict(peer.identity, self._flow.correlation_id, connector_id, id_tag, stored_verdict, evse_id)

    async def ask_authorize(
        self,
        id_tag: str,
        stored_verdict: Authorization,
        connector_id: int | None = None,
        evse_id: int = NO_EVSE,
        token_type: str | None = None,
    ) -> Authorization:
        """The site's own verdict on an id tag, else the one by what is stored; of one that is being learnt, that."""
        learnt = self.learn(id_tag, stored_verdict, connector_id, evse_id)
        if learnt is not None:
            return learnt
        ask = self.services.ask_authorize
        if ask is None:
            return stored_verdict
        question = AuthorizationQuestion(
            charge_point_id=self._flow.peer.identity,
            correlation_id=self._flow.correlation_id,
            connector_id=connector_id,
            id_tag=id_tag,
            by_the_books=stored_verdict,
            evse_id=evse_id,
            token_type=token_type,
        )
        began = perf_counter()
        verdict = await ask(question)
        self._note("plugin_question", began)
        return verdict or stored_verdict

    def presented(self, id_tag: str, stored_verdict: Authorization, verdict: Authorization) -> None:
        """Note that a card was presented: one that isn't stored, or was refused, is listed for the operator."""
        self.services.cards.presented(self.key, id_tag, stored_verdict, verdict.status, self.received_at)

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

    def _stored(self, pending: Pending[Result[T]]) -> Pending[T]:
        self._flow.steps.append(pending)
        return pending.then(self._take, _as_fault)

    def _take(self, result: Result[T]) -> T:
        """After the commit: what the flow's lines and spans say, and what is published."""
        if result.session is not None:
            self._flow.session_correlation_id, self._flow.transaction_id = result.session
        if result.left_out:
            note_left_out(self._flow, result.left_out)
        self.publish(*result.events)
        return result.value

    def _note(self, name: str, began: float) -> None:
        self._flow.steps.append(Step(name, began, perf_counter() - began))

    def _publish(self) -> None:
        self.services.publish(self._events)


def note_left_out(flow: Flow, left_out: Iterable[LeftOut]) -> None:
    """Count what isn't kept among the deviations of a flow."""
    flow.deviations += [Deviation(rule.value, field, came, kept) for rule, field, came, kept in left_out]


def _unchanged(value: T) -> T:
    return value


def _as_fault(error: Exception) -> Exception:
    """A failed write as the transport knows it."""
    fault: Exception
    if isinstance(error, WriteFailed):
        fault = Unanswerable(str(error))
    elif is_number_too_large(error):
        # The contract sets no bounds to integers, the database does: 64 bits.
        fault = CallFault(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "a number has more than 64 bits")
    else:
        return error
    fault.__cause__ = error
    return fault


_Route: TypeAlias = Callable[[Flow, bytes], Answer]
"""A handler with its action's types wrapped up: JSON in, JSON out."""


class CallRouter:
    """The handlers of one OCPP version's incoming CALLs."""

    def __init__(
        self, services: Services, actions: Mapping[str, AnyAction], repairs: Repairs, read_subject: SubjectReader
    ) -> None:
        """`repairs` reads what breaks the contract; `read_subject` makes a reader of what a request is about."""
        self._services = services
        self._actions = actions
        self._repairs = repairs
        self._read_subject = read_subject
        self._routes: dict[str, _Route] = {}

    @property
    def handled(self) -> frozenset[str]:
        """The names of the actions that have a handler."""
        return frozenset(self._routes)

    def add(self, action: Action[Req, Res], handler: Handler[Req, Res], *, takes_narrow: bool = False) -> None:
        """Handle an action's CALLs with `handler`; one handler per action.

        Where the version has the action with models of its own, these judge a payload, and the handler gets what it
        says in the wider model that it's typed by; of its answer, what the version doesn't have stays out. An action
        that the version doesn't have is passed over.

        With `takes_narrow` it gets the version's own model, which costs half as much: it reads nothing but what every
        version has, and compares members of lists as the texts that they are.
        """
        own = self._actions.get(action.name)
        if own is not None:
            model = cast("type[Req]", own.request) if takes_narrow else action.request
            self._add(action.name, own.request, model, handler, encoder(action.response, own.response))

    def add_send(self, action: SendAction[Req], handler: Handler[Req, BaseModel]) -> None:
        """Handle an action's SENDs with `handler`, whose response goes nowhere (OCPP-J 2.1 §4.2)."""

        def handle(
            context: CallContext, request: Req
        ) -> BaseModel | EncodedResponse[BaseModel] | Pending[BaseModel] | Awaitable[BaseModel]:
            if not context.is_send:
                context.note_deviation("send_as_call")
            return handler(context, request)

        self._add(action.name, action.request, action.request, handle, lambda _: b"{}")

    def _add(
        self,
        name: str,
        own: type[BaseModel],
        model: type[Req],
        handler: Handler[Req, Res],
        encode: Callable[[Res], bytes],
    ) -> None:
        if name in self._routes:
            raise ValueError(f"{name} has a handler already")
        services, repairs = self._services, self._repairs
        subject_of = self._read_subject(model)
        is_own = own is model
        validate: Callable[..., Req] = (
            model.__pydantic_validator__.validate_json if is_own else widening(own, model, repairs, services.now)
        )

        def route(flow: Flow, payload: bytes) -> Answer:
            received_at = None
            if len(payload) > LARGE:
                payload = thinned_request(flow, own, payload, repairs)
            try:
                # Strict first: a correct payload passes here, by the names of the wire only.
                request = validate(payload, by_alias=True, by_name=False)
            except ValidationError:
                # In milliseconds, as times are stored: what stands for one that isn't told is equal to it.
                received_at = as_stored(services.now())
                if is_own:
                    request = repaired(flow, model, payload, repairs, received_at)
                else:
                    request = widened(repaired(flow, own, payload, repairs, received_at), model, repairs, received_at)
            if subject_of is not None:
                flow.connector_id, flow.transaction_id, flow.evse_id = subject_of(request)
            answer = handler(CallContext(services, flow, received_at), request)
            if isinstance(answer, Pending):
                return answer.then(encode)
            if isinstance(answer, EncodedResponse):
                return answer
            if isinstance(answer, Awaitable):
                return _encode_later(encode, answer)
            return encode(answer)

        self._routes[name] = route

    def dispatch(self, flow: Flow, call: Call | Send) -> Answer:
        """Handle a CALL or SEND; raises CallFault for an action that is unknown or not for us (OCPP-J 1.6 §4.2.3)."""
        route = self._routes.get(call.action)
        if route is not None:
            return route(flow, call.payload)
        if call.action in self._actions:
            raise CallFault(ErrorCode.NOT_SUPPORTED, f"{call.action} is not handled here")
        raise CallFault(ErrorCode.NOT_IMPLEMENTED, f"unknown action {call.action[:50]}")


async def _encode_later(encode: Callable[[Res], bytes], answer: Awaitable[Res]) -> bytes:
    return encode(await answer)
