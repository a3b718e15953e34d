"""A central system of the transport alone: real sockets, a small dialect, and a observer that remembers."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol

from mcpp.csms.calls import Answer
from mcpp.csms.offers import Offer
from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.ocppj.actions import Action, AnyAction, Res, Sender, decode
from mcpp.ocppj.errors import CallFault, ErrorCode, InvalidAnswer, Unanswerable
from mcpp.ocppj.flow import (
    Direction,
    Flow,
    NextCall,
    Peer,
    Subject,
    active_correlation_id,
    current_flow,
)
from mcpp.ocppj.frames import FRAMING_16, Call, CallError, CallResult, CallResultError, FrameError, Framing, Send
from mcpp.transport.admission import AdmissionRefused, Admitted, ConnectRequest
from mcpp.transport.charge_point import LiveChargePoint
from mcpp.transport.connection import Connection
from mcpp.transport.gate import Gate
from mcpp.transport.limits import Limits
from mcpp.transport.listener import OcppListener
from mcpp.transport.registry import Registry
from mcpp.transport.tls import ServerTls, TlsFiles
from tests.authority import Authority

HOST = "127.0.0.1"
PATIENCE = 10.0
"""Seconds after which a test that waits for something gives up."""
AT_ANY_PACE = 1e6
"""Messages a second that nobody reaches, for tests of what else holds a charge point back."""

T = TypeVar("T")


async def soon(awaitable: Awaitable[T]) -> T:
    """The result, or a failure instead of a test that hangs."""
    return await asyncio.wait_for(awaitable, PATIENCE)


class Text(BaseModel):
    """Request and response of the test actions."""

    text: str


ECHO = Action("Echo", Text, Text, "Test", Sender.BOTH, "1.6")


class Dialect:
    """Actions named by what their handler does."""

    actions: Mapping[str, AnyAction] = {ECHO.name: ECHO}

    def __init__(self, subprotocol: str = "ocpp1.6", framing: Framing = FRAMING_16, *, is_loaded: bool = True) -> None:
        self.is_loaded = is_loaded
        self.framing = framing
        self.subprotocol = subprotocol
        self.version = subprotocol.removeprefix("ocpp")
        self.gates: dict[str, asyncio.Event] = {}
        self.begun: list[str] = []
        self.published: list[str] = []
        self.flows: list[Flow | None] = []
        self.ask: Callable[[Flow], Awaitable[Text]] | None = None
        self.next_calls: dict[str, tuple[NextCall, ...]] = {}
        """CALLs that follow from a CALL, or from the answer to one of ours, by its text."""
        self.meaning: Awaitable[None] | None = None
        self.offers: list[Offer] = []
        """Of the CALLs to come."""

    def gate(self, name: str) -> asyncio.Event:
        """What a `Wait` handler for this text waits for."""
        return self.gates.setdefault(name, asyncio.Event())

    def load(self) -> None:
        self.is_loaded = True

    def handle(self, flow: Flow, call: Call | Send, /) -> Answer:
        assert self.is_loaded
        try:
            request = Text.model_validate_json(call.payload)
        except ValidationError as error:
            raise CallFault(
                ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "no text", {"errors": error.error_count()}
            ) from error
        self.begun.append(request.text)
        self.flows.append(current_flow.get())
        flow.after_answer = lambda: self.published.append(request.text)
        flow.next_calls = self.next_calls.pop(request.text, ())
        match call.action:
            case "Echo":
                return ECHO.encode_response(request)
            case "Wait":
                return self._wait(request)
            case "Ask":
                return self._ask(flow)
            case "Crash":
                raise RuntimeError(request.text)
            case "CrashLater":
                return self._crash(request)
            case "Unanswerable":
                raise Unanswerable(request.text)
        raise CallFault(ErrorCode.NOT_IMPLEMENTED, f"unknown action {call.action}")

    async def _wait(self, request: Text) -> bytes:
        await self.gate(request.text).wait()
        self.flows.append(current_flow.get())
        return ECHO.encode_response(request)

    async def _ask(self, flow: Flow) -> bytes:
        assert self.ask is not None
        return ECHO.encode_response(await self.ask(flow))

    async def _crash(self, request: Text) -> bytes:
        await asyncio.sleep(0)
        raise RuntimeError(request.text)

    async def prepare(self, action: AnyAction, payload: dict[str, JsonValue]) -> dict[str, JsonValue]:
        return payload

    def decode_response(self, flow: Flow, response: type[Res], payload: bytes) -> Res:
        try:
            return decode(response, payload)
        except ValidationError as error:
            raise InvalidAnswer(str(error)) from error

    def subject(self, request: BaseModel) -> Subject:
        return Subject()

    def offer(self, peer: Peer, request: BaseModel) -> Offer | None:
        return self.offers.pop(0) if self.offers else None

    def answered(
        self, flow: Flow, request: BaseModel, response: BaseModel, offer: Offer | None = None
    ) -> Awaitable[None] | None:
        assert isinstance(request, Text)
        flow.next_calls = self.next_calls.pop(request.text, ())
        return self.meaning

    def spell(self, code: ErrorCode) -> str:
        return code.name.title().replace("_", "")


@dataclass
class Ending:
    """One call of `MessageObserver.connection`."""

    outcome: str
    identity: str
    detail: str
    path: str = ""


@dataclass
class Recorder:
    """A observer that remembers what it was told."""

    frames: list[str] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something that was recorded makes the condition true."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_outcome(self, outcome: ConnectionOutcome, times: int = 1) -> Ending:
        """The last connection event with this outcome, once there are so many."""
        await self.until(lambda: self.outcomes.count(outcome) >= times)
        return [ending for ending in self.endings if ending.outcome == outcome][-1]

    @property
    def outcomes(self) -> list[str]:
        return [ending.outcome for ending in self.endings]

    def _note(self, text: str) -> None:
        self.frames.append(text)
        self._changed.set()

    def begin(self, flow: Flow) -> None:
        self.flows.append(flow)
        rules = "".join(f" {deviation.rule}" for deviation in flow.deviations)
        self._note(f"in {flow.action} {flow.message_id}{rules}")

    def exchanged(self, flow: Flow, answer: CallResult | CallError, size: int) -> None:
        self._note(f"answered {answer.message_id}")

    def taken(self, flow: Flow) -> None:
        self._note(f"taken {flow.message_id}")

    def result_refused(self, peer: Peer, error: CallResultError, size: int) -> None:
        self._note(f"result refused {error.message_id} {error.code}")

    def unanswered(self, flow: Flow, error: BaseException) -> None:
        self._note(f"unanswered {flow.message_id} {type(error).__name__}")

    def handler_failed(self, flow: Flow, error: BaseException) -> None:
        self.errors.append(error)
        self._note(f"failed {flow.message_id}")

    def call_queued(self, peer: Peer, call: Call, about: Subject) -> Flow:
        return Flow(peer, Direction.OUT, call.action, call.message_id, active_correlation_id(), 0)

    def call_withdrawn(self, flow: Flow) -> None:
        self._note(f"withdrawn {flow.action}")

    def call_sent(self, flow: Flow, size: int) -> None:
        self.flows.append(flow)
        self._note(f"out {flow.action}")

    def answer_received(self, flow: Flow, answer: CallResult | CallError, size: int) -> None:
        self._note(f"answer to {flow.action}")

    def call_expired(self, flow: Flow, error: Exception) -> None:
        self._note(f"expired {flow.action} {type(error).__name__}")

    def stray_answer(self, peer: Peer, answer: CallResult | CallError, size: int, *, late: bool) -> None:
        self._note("late answer" if late else "unknown answer")

    def frame_refused(self, peer: Peer, error: FrameError, size: int) -> None:
        self._note(f"refused {error.message_id}")

    def refusal_sent(self, peer: Peer, answer: CallError | CallResultError, size: int) -> None:
        self._note(f"refusal {answer.message_id} {answer.code}")

    def connection(
        self, outcome: ConnectionOutcome, *, identity: str = "", remote: str = "", detail: str = "", path: str = ""
    ) -> None:
        self.endings.append(Ending(outcome, identity, detail, path))
        self._changed.set()


class OpenDoor:
    """Admits everybody, unless the test says something else."""

    def __init__(self) -> None:
        self.requests: list[ConnectRequest] = []
        self.verdict: Callable[[ConnectRequest], Awaitable[Admitted | AdmissionRefused]] | None = None

    async def admit(self, request: ConnectRequest) -> Admitted | AdmissionRefused:
        self.requests.append(request)
        if self.verdict is not None:
            return await self.verdict(request)
        return Admitted(Peer(len(self.requests), request.identity), 1, request.ocpp_versions[0])


class CentralSystem:
    """The listener with all that it needs."""

    def __init__(
        self,
        limits: Limits,
        dialects: Sequence[Dialect] = (),
        authority: Authority | None = None,
        tls: ServerTls | None = None,
        *,
        path_strict: bool = False,
        gate: Gate[Connection] | None = None,
        compressed: bool = False,
    ) -> None:
        """By TLS with a certificate of the authority, if there is one, or as given."""
        self.client_tls: ssl.SSLContext | None = None
        if authority is not None:
            pair = authority.server()
            tls = ServerTls(TlsFiles(pair.certificate, pair.key))
            self.client_tls = authority.client_context()
        self.dialects = list(dialects) or [Dialect()]
        self.dialect = self.dialects[0]
        self.recorder = Recorder()
        self.door = OpenDoor()
        self.events: list[str] = []
        self.finished: list[tuple[str, BaseModel | Exception]] = []
        self.registry = Registry(
            on_connected=lambda charge_point: self.events.append(f"{charge_point.identity} connected"),
            on_disconnected=lambda charge_point: self.events.append(f"{charge_point.identity} disconnected"),
            command_finished=lambda flow, result: self.finished.append((flow.message_id, result)),
        )
        self.listener = OcppListener(
            HOST,
            0,
            "/ocpp",
            dialects=self.dialects,
            admission=self.door,
            observer=self.recorder,
            registry=self.registry,
            limits=limits,
            tls=tls,
            path_strict=path_strict,
            gate=gate,
            compressed=compressed,
        )
        self.port = 0

    async def start(self) -> None:
        self.port = await self.listener.start()

    def live(self, identity: str = "CP1") -> LiveChargePoint:
        charge_point = self.registry.get(identity)
        assert charge_point is not None
        return charge_point

    def dial(self, identity: str = "CP1", subprotocols: Sequence[str] = ("ocpp1.6",)) -> connect:
        """A charge point by the `websockets` package's own client, which pings nobody by itself."""
        return connect(
            f"{'wss' if self.client_tls else 'ws'}://{HOST}:{self.port}/ocpp/{identity}",
            ssl=self.client_tls,
            subprotocols=[Subprotocol(name) for name in subprotocols] or None,
            compression=None,
            proxy=None,
            ping_interval=None,
            close_timeout=PATIENCE,
            max_size=None,
        )

    async def dial_raw(self, address: str = HOST) -> RawSocket:
        """A socket on which nothing was said yet, from any address of the loopback network."""
        return RawSocket(*await asyncio.open_connection(HOST, self.port, local_addr=(address, 0), ssl=self.client_tls))

    async def dial_frames(self, identity: str = "CP1") -> RawSocket:
        """A socket after the handshake, to send single frames on."""
        raw = await self.dial_raw()
        assert (await raw.request(f"/ocpp/{identity}")).startswith("HTTP/1.1 101 ")
        return raw


class RawSocket:
    """The other end of a connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def request(self, target: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> str:
        """Send a handshake request and give the head of the response."""
        self.writer.write(handshake(target, headers, method))
        return (await soon(self.reader.readuntil(b"\r\n\r\n"))).decode()

    def send_frame(self, opcode: Opcode, data: bytes, *, fin: bool = True) -> None:
        self.writer.write(frame(opcode, data, fin=fin))

    async def frame(self) -> tuple[Opcode, bytes]:
        """The next frame from the server."""
        head = await soon(self.reader.readexactly(2))
        size = head[1]
        if size > 125:
            size = int.from_bytes(await soon(self.reader.readexactly(2 if size == 126 else 8)), "big")
        return Opcode(head[0] & 0x0F), await soon(self.reader.readexactly(size))

    async def at_end(self) -> bytes:
        """What still comes until the server closes the socket."""
        try:
            return await soon(self.reader.read())
        except ConnectionResetError:
            return b""

    async def write_for_ever(self, data: bytes) -> None:
        """Write until the socket is found to be closed: then a ConnectionError."""
        while True:
            self.writer.write(data)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def close(self) -> None:
        self.writer.transport.abort()


def frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    """A frame as a client sends it."""
    return Frame(opcode, data, fin).serialize(mask=True)


def handshake(target: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> bytes:
    """A WebSocket handshake request; `headers` replace the usual ones, an empty value leaves one out."""
    lines = {
        "Host": HOST,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "ocpp1.6",
        **(headers or {}),
    }
    head = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items() if value)]
    return "\r\n".join([*head, "", ""]).encode("latin-1")


def call(message_id: str, action: str, text: str) -> str:
    return f'[2,"{message_id}","{action}",{{"text":"{text}"}}]'


def result(message_id: str, text: str) -> str:
    return f'[3,"{message_id}",{{"text":"{text}"}}]'


async def receive(client: ClientConnection) -> str:
    message = await soon(client.recv())
    return message if isinstance(message, str) else message.decode()
