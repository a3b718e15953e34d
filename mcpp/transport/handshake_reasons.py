"""Why an opening handshake of WebSocket (RFC 6455 §4.2.1) failed: errors of the `websockets` package in plain words.

Logs have the package's own text; where a header or a line is the matter, the pages quote it.
"""

from __future__ import annotations

from websockets.exceptions import (
    InvalidHeader,
    InvalidMessage,
    InvalidMethod,
    InvalidProtocol,
    InvalidUpgrade,
    NegotiationError,
    SecurityError,
)

from mcpp.phrases import Phrase, reworded


def handshake_reason(error: BaseException | None) -> str:
    """For an error that the protocol kept; empty where it kept none."""
    text = str(error or "")
    match error:
        case None:
            return ""
        case InvalidUpgrade():
            return Phrase("it asks by plain HTTP (http:// in place of ws://, or a browser)")
        case InvalidMethod():
            return reworded(
                text, "it asks by HTTP {method}, and a WebSocket connection begins with GET", method=error.method
            )
        case InvalidProtocol():
            return reworded(
                text, "it speaks {protocol}, and a WebSocket connection needs HTTP/1.1", protocol=error.protocol
            )
        case InvalidHeader(value=None):
            return reworded(text, "its request for a WebSocket connection has no {header}", header=error.name)
        case InvalidHeader():
            return reworded(
                text,
                "its request for a WebSocket connection has a {header} that can't be read: “{original}”",
                header=error.name,
                original=error.value,
            )
        case NegotiationError():
            return reworded(
                text, "what it wants of the WebSocket connection can't be read: “{original}”", original=text
            )
        case SecurityError():
            return reworded(text, "its request is larger than allowed")
        case InvalidMessage() | ValueError() | NotImplementedError():
            return reworded(text, "what it sends is no request of HTTP")
        case EOFError():
            return reworded(text, "it left before its request was complete")
    return reworded(text, "its request can't be answered: “{original}”", original=text)
