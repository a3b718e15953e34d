"""The server side of the WebSocket protocol without I/O, with the subprotocol rules of OCPP-J.

What depends on the inside of the `websockets` package is in this class: `reader.buffer`, `eof_sent`, `parser` and
`parser_exc`. The reading side alone asks for `current_size` itself, once for each text. Tests of the transport fail
where a new version changes one of them.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from http import HTTPStatus
from typing import Final

from websockets.exceptions import PayloadTooBig
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.transport.handshake_reasons import handshake_reason

# The package logs frames with their payloads at debug level; ours are logged by the observer, with secrets masked.
_logger: Final = logging.getLogger("mcpp.transport.websockets")
_logger.setLevel(logging.ERROR)

_DEFLATE: Final = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True, client_no_context_takeover=True, compress_settings={"memLevel": 5}
)


class WebSocketProtocol(ServerProtocol):
    """The package's protocol without I/O, with OCPP's subprotocols; by default without compression (50 KiB each)."""

    # With more than 30 attributes in its dictionary an instance takes 1.3 KiB more.
    __slots__ = ("_spoken", "offered")

    def __init__(self, spoken: Collection[str], max_size: int, *, compressed: bool = False) -> None:
        """`spoken` are the subprotocols; `compressed` allows permessage-deflate without context takeover (RFC 7692)."""
        extensions = [_DEFLATE] if compressed else None
        super().__init__(max_size=max_size, logger=_logger, extensions=extensions)
        self._spoken = spoken
        self.offered: tuple[str, ...] = ()
        """The subprotocols that the client offers, once its request is there, in its order of preference."""

    @property
    def unfinished_bytes(self) -> int:
        """Of what it was given and is no frame, or no request, yet."""
        return len(self.reader.buffer)

    @property
    def over(self) -> bool:
        """Whether it reads nothing any more."""
        return self.eof_sent

    def ending(self) -> tuple[ConnectionOutcome, str]:
        """Why it wants the connection closed, and the details."""
        if self.state is State.CONNECTING:
            return ConnectionOutcome.BAD_REQUEST, handshake_reason(self.handshake_exc or self.parser_exc)
        if isinstance(self.parser_exc, PayloadTooBig):
            return ConnectionOutcome.MESSAGE_TOO_BIG, str(self.parser_exc)
        if self.parser_exc is not None:
            return ConnectionOutcome.PROTOCOL_ERROR, str(self.parser_exc)
        return ConnectionOutcome.CLOSED, str(self.close_rcvd or "")

    def release(self) -> None:
        """Let go of what refers back to it, once nothing comes or goes; else its memory waits for the collector."""
        self.parser.close()
        for error in (self.handshake_exc, self.parser_exc):
            _forget_frames(error)

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """The first of the offered subprotocols that we speak; offers are in order of preference (RFC 6455 §4.1)."""
        self.offered = tuple(subprotocols)
        return next((name for name in subprotocols if name in self._spoken), None)

    def choose(self, response: Response, subprotocol: str) -> None:
        """Answer with another subprotocol than the first that is spoken, among those offered."""
        if self.subprotocol is not None and self.subprotocol != subprotocol:
            self.subprotocol = Subprotocol(subprotocol)
            del response.headers["Sec-WebSocket-Protocol"]
            response.headers["Sec-WebSocket-Protocol"] = subprotocol

    def refusal(self, status: HTTPStatus, text: str, retry_after: int | None = None) -> Response:
        """The HTTP answer that refuses the connection; it may come again after so many seconds."""
        response = self.reject(status, f"{text}\n")
        if status is HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = 'Basic realm="OCPP", charset="UTF-8"'
        if retry_after is not None:
            response.headers["Retry-After"] = str(retry_after)
        return response


def _forget_frames(error: BaseException | None) -> None:
    """Drop the tracebacks: their frames, and those that called them, hold what holds the error."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
