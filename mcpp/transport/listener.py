"""The OCPP-J listener: accepts connections, has them admitted, and ends them at shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from mcpp.csms.dialect import Dialect
from mcpp.csms.frames import FrameBook
from mcpp.csms.observer import MessageObserver
from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.domain.security_profiles import SecurityProfile
from mcpp.phrases import Phrase
from mcpp.phrases.causes import explained
from mcpp.transport.addresses import TrustedProxies, client_of
from mcpp.transport.admission import Admission, AdmissionRefused, Admitted, ConnectRequest
from mcpp.transport.charge_point import LiveChargePoint
from mcpp.transport.connection import Connection
from mcpp.transport.gate import Gate
from mcpp.transport.handshake_reasons import handshake_reason
from mcpp.transport.limits import Limits
from mcpp.transport.memory import Memory
from mcpp.transport.pace import Paces
from mcpp.transport.reading import Hold
from mcpp.transport.registry import Registry
from mcpp.transport.target import BadTarget, path_segments, read_basic_credentials, read_target, shown_path
from mcpp.transport.tls import ServerTls, peer_certificate
from mcpp.transport.tls_stream import TlsStream
from mcpp.transport.turns import Turns
from mcpp.transport.websocket import WebSocketProtocol

_BACKLOG = 4096
"""Connections waiting to be accepted: a whole fleet comes back at once after a power cut."""

_DETAIL_LIMIT: Final = 300
"""Characters: much of it is what the other side has sent."""


_BEFORE_OPEN: Final = frozenset({ConnectionOutcome.HANDSHAKE_TIMEOUT, ConnectionOutcome.HANDSHAKE_ABORTED})


def _tls_failed(connection: Connection, _: str, reason: str) -> None:
    connection.tls_failed(reason)


class OcppListener:
    """Listens for charge points on one address."""

    def __init__(
        self,
        host: str,
        port: int,
        path: str,
        *,
        dialects: Sequence[Dialect],
        admission: Admission,
        observer: MessageObserver,
        registry: Registry,
        limits: Limits | None = None,
        tls: ServerTls | None = None,
        gate: Gate[Connection] | None = None,
        trusted_proxies: TrustedProxies = (),
        path_strict: bool = False,
        frames: FrameBook | None = None,
        compressed: bool = False,
    ) -> None:
        """Charge points connect to `path`/identity, and by any other path unless `path_strict`.

        The first dialect serves those that offer no subprotocol. `compressed` allows permessage-deflate.
        `trusted_proxies` are believed whom they say that a request comes from.
        """
        self._tls = tls
        self.limits = limits or Limits()
        self.memory = Memory(self.limits.unhandled_bytes)
        self.turns = Turns(self.limits.turns_time)
        self._paces = Paces(self.limits)
        self._host = host
        self._port = port
        self._prefix = path_segments(path)
        self._path_strict = path_strict
        self._frames = frames or FrameBook()
        self._default_dialect = dialects[0]
        self._dialects = {dialect.subprotocol: dialect for dialect in dialects}
        self._by_version = {dialect.version: dialect for dialect in dialects}
        self._compressed = compressed
        self._admission = admission
        self._observer = observer
        self._registry = registry
        self._gate = gate or Gate()
        self._trusted_proxies = trusted_proxies
        self._live: dict[Connection, LiveChargePoint | None] = {}
        self._server: asyncio.Server | None = None
        self._all_gone = asyncio.Event()
        self._stopping = False

    async def start(self) -> int:
        """Begin to listen. Returns the port; raises OSError where the address can't be had."""
        loop = asyncio.get_running_loop()

        def connection() -> asyncio.Protocol:
            ws = WebSocketProtocol(self._dialects, self.limits.max_message_size, compressed=self._compressed)
            made = Connection(self, ws, loop)
            return made if self._tls is None else TlsStream(made, self._tls.context, _tls_failed)

        self._server = await loop.create_server(connection, self._host, self._port, backlog=_BACKLOG)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Accept nothing new, let running handlers finish, close every connection with 1001; within time limits."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        open_ones = [charge_point for charge_point in self._live.values() if charge_point is not None]
        working = {charge_point.drain() for charge_point in open_ones}
        if working:
            _, unfinished = await asyncio.wait(working, timeout=self.limits.drain_timeout)
            if unfinished:
                for charge_point in open_ones:
                    charge_point.cancel_work()
                await asyncio.wait(unfinished, timeout=self.limits.close_timeout)
        for connection in list(self._live):
            connection.close(CloseCode.GOING_AWAY, "the central system is shutting down", ConnectionOutcome.SHUTDOWN)
        if self._live:
            await self._all_gone.wait()

    # What a connection calls.

    def connection_opened(self, connection: Connection) -> None:
        self._live[connection] = None
        displaced = self._gate.connection_opened(connection, connection.peer)
        if displaced is not None:
            displaced.abort(
                ConnectionOutcome.TOO_MANY_CONNECTIONS, Phrase("newer ones came, and no request from this one")
            )

    def request_received(self, connection: Connection, request: Request) -> None:
        """Check what needs no waiting, then ask for admission."""
        ws = connection.ws
        client = client_of(connection.peer, request.headers, self._trusted_proxies)
        connection.remote = client.address
        connection.path = shown_path(request.path)
        self._gate.identified(connection, connection.peer, client.address)
        response = ws.accept(request)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            connection.refuse(response, ConnectionOutcome.BAD_REQUEST, handshake_reason(ws.handshake_exc))
            return
        try:
            connection.identity, is_elsewhere = read_target(request.path, self._prefix, is_strict=self._path_strict)
        except BadTarget as error:
            connection.refuse(ws.refusal(error.status, error.text), error.outcome, error.text)
            return
        if ws.offered:
            versions = tuple(self._dialects[name].version for name in ws.offered if name in self._dialects)
        else:
            versions = (self._default_dialect.version,)
        if not versions:
            # OCPP-J 1.6 §3.2: complete the handshake without a subprotocol, then close immediately.
            reason, spoken = "no subprotocol in common", ", ".join(self._by_version)
            detail = Phrase(
                "it offers {offered} and none of {versions}", offered=", ".join(ws.offered), versions=spoken
            )
            connection.accept_and_close(
                response, CloseCode.PROTOCOL_ERROR, reason, ConnectionOutcome.UNKNOWN_SUBPROTOCOL, detail
            )
            return
        credentials = read_basic_credentials(request.headers.get_all("Authorization"))
        # The package's parser keeps the request for as long as it lives.
        request.headers.clear()
        user, password = credentials or (None, None)
        tls = connection.tls
        question = ConnectRequest(
            connection.identity,
            connection.remote,
            versions,
            user,
            password,
            encrypted=tls is not None or bool(client.encrypted),
            certificate=None if tls is None else peer_certificate(tls),
            must_prove=self._gate.is_crowded(connection),
        )
        connection.hold_reading(Hold.ADMISSION)
        admission = self._admit(connection, question, response, is_elsewhere=is_elsewhere)
        connection.admission = asyncio.get_running_loop().create_task(admission)

    def connection_ended(self, connection: Connection, outcome: ConnectionOutcome, detail: str) -> None:
        charge_point = self._live.get(connection)
        if charge_point is not None:
            charge_point.connection_ended()
            self._frames.disconnected(charge_point.identity)
            self._registry.discard(charge_point)
        if connection.pace is not None:
            self._paces.leave(connection.pace, asyncio.get_running_loop().time())
        self._count(connection, outcome, detail)
        self._gate.ended(connection, connection.peer)

    def connection_gone(self, connection: Connection) -> None:
        self._live.pop(connection, None)
        self._gate.gone(connection, connection.peer)
        if self._stopping and not self._live:
            self._all_gone.set()

    # Admission.

    async def _admit(
        self,
        connection: Connection,
        question: ConnectRequest,
        response: Response,
        *,
        is_elsewhere: bool,
    ) -> None:
        verdict: Admitted | AdmissionRefused
        try:
            verdict = await self._verdict(question)
            if isinstance(verdict, Admitted):
                await self._load(verdict.ocpp_version)
        except Exception as error:  # noqa: BLE001 - the charge point comes again, whatever it was
            text = Phrase("the central system can't admit charge points just now")
            verdict = AdmissionRefused(HTTPStatus.SERVICE_UNAVAILABLE, text, ConnectionOutcome.ADMISSION_FAILED)
            detail: str = explained(error, repr(error))
        else:
            detail = verdict.text if isinstance(verdict, AdmissionRefused) else ""
        connection.admission = None
        if self._stopping:
            connection.close(CloseCode.GOING_AWAY, "", ConnectionOutcome.SHUTDOWN)
        elif isinstance(verdict, AdmissionRefused):
            refusal = connection.ws.refusal(verdict.status, verdict.text, verdict.retry_after)
            connection.refuse(refusal, verdict.outcome, detail)
        else:
            if verdict.security_profile > SecurityProfile.NONE:
                self._gate.authenticated(connection)
            dialect = self._by_version[verdict.ocpp_version]
            connection.ws.choose(response, dialect.subprotocol)
            self._open(connection, dialect, verdict, response)
            if is_elsewhere:
                self._count(connection, ConnectionOutcome.OTHER_PATH, "")

    async def _load(self, version: str) -> None:
        """The first connection of a version imports it."""
        dialect = self._by_version[version]
        if not dialect.is_loaded:
            await asyncio.to_thread(dialect.load)

    async def _verdict(self, question: ConnectRequest) -> Admitted | AdmissionRefused:
        # One that replaces its own connection takes no place.
        if self._gate.is_full and not self._registry.connected(question.identity):
            return AdmissionRefused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                Phrase("the central system has as many connections as it may (max-connections); come again in 30 s"),
                ConnectionOutcome.TOO_MANY_CONNECTIONS,
                retry_after=30,
            )
        return await self._admission.admit(question)

    def _open(self, connection: Connection, dialect: Dialect, admitted: Admitted, response: Response) -> None:
        charge_point = LiveChargePoint(
            admitted.peer,
            dialect,
            self._observer,
            connection,
            self.limits,
            self._registry.command_finished,
            self._frames.connected(admitted.peer.identity),
            admitted.epoch,
            admitted.security_profile,
        )
        self._live[connection] = charge_point
        connection.open(charge_point, response, self._paces.of(admitted.peer.identity))
        offered = connection.ws.offered
        self._count(
            connection, ConnectionOutcome.ACCEPTED if offered else ConnectionOutcome.ACCEPTED_WITHOUT_SUBPROTOCOL, ""
        )
        replaced = self._registry.add(charge_point)
        if replaced is not None:
            if (replaced.remote, replaced.path) != (connection.remote, connection.path):
                where = replaced.remote if replaced.path == connection.path else f"{replaced.remote} by {replaced.path}"
                self._count(connection, ConnectionOutcome.TAKEN_OVER, f"from {where}")
            replaced.close(CloseCode.POLICY_VIOLATION, "replaced by a newer connection", ConnectionOutcome.REPLACED)

    def _count(self, connection: Connection, outcome: ConnectionOutcome, detail: str) -> None:
        if self._tls is not None and not detail and outcome in _BEFORE_OPEN and connection.tls is None:
            detail = Phrase("in the TLS handshake")
        if len(detail) > _DETAIL_LIMIT:  # else a phrase stays one
            detail = detail[:_DETAIL_LIMIT]
        self._observer.connection(
            outcome, identity=connection.identity, remote=connection.remote, detail=detail, path=connection.path
        )
