"""How connections begin and end, as a closed set: these are label values of a metric."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ConnectionOutcome(StrEnum):
    """Every connection has one of the first two or one refusal; an accepted one later has one ending."""

    ACCEPTED = "accepted"
    ACCEPTED_WITHOUT_SUBPROTOCOL = "accepted_without_subprotocol"
    """The charge point offered no subprotocol and is taken for the default one."""

    # Refusals.
    BAD_REQUEST = "bad_request"
    """Not a WebSocket handshake: a plain HTTP request, or no HTTP at all."""
    BAD_PATH = "bad_path"
    """Outside of `ocpp-path`, where `ocpp-path-strict` is on."""
    BAD_IDENTITY = "bad_identity"
    UNKNOWN_SUBPROTOCOL = "unknown_subprotocol"
    UNKNOWN_CHARGE_POINT = "unknown_charge_point"
    """Not registered, while registration is closed."""
    UNAUTHORIZED = "unauthorized"
    PROFILE_TOO_LOW = "profile_too_low"
    """A lower security profile than it must use, or has used before."""
    CERTIFICATE_REFUSED = "certificate_refused"
    """Its certificate is revoked, or isn't this charge point's."""
    HELD_BACK = "held_back"
    """After failed logins, or as one of two devices that share an identity: it may come again later."""
    TOO_MANY_CONNECTIONS = "too_many_connections"
    """In all, or from its address."""
    TOO_MANY_UNKNOWN = "too_many_unknown"
    """Its address has brought too many unknown identities."""
    TLS_FAILED = "tls_failed"
    """The TLS handshake failed, such as with a certificate that has expired or of an unknown authority."""
    ADMISSION_FAILED = "admission_failed"
    """We could not find out whether it may connect, such as with a database that fails."""
    HANDSHAKE_TIMEOUT = "handshake_timeout"
    HANDSHAKE_ABORTED = "handshake_aborted"
    """The other side left before the handshake was over."""

    # Endings.
    CLOSED = "closed"
    """By the charge point's close frame."""
    LOST = "lost"
    """Without a close frame."""
    REPLACED = "replaced"
    """By a newer connection of the same charge point."""
    FORGOTTEN = "forgotten"
    """By us, since an operator had the charge point deleted."""
    IDLE = "idle"
    """No frame within `idle-timeout`."""
    STALLED = "stalled"
    """The charge point doesn't read what we send."""
    PROTOCOL_ERROR = "protocol_error"
    """Breaks RFC 6455, such as by compressed frames that weren't negotiated."""
    MESSAGE_TOO_BIG = "message_too_big"
    CROWDED_OUT = "crowded_out"
    """By us, since all connections together held too much of unfinished messages, and this one the most."""
    SHUTDOWN = "shutdown"
    """By us, going away."""

    # Beside the above.
    TAKEN_OVER = "taken_over"
    """A newer connection of the same charge point came from another address, or by another path."""
    OTHER_PATH = "other_path"
    """An accepted connection came by a path outside of `ocpp-path`."""


REFUSALS: Final = frozenset(
    {
        ConnectionOutcome.BAD_REQUEST,
        ConnectionOutcome.BAD_PATH,
        ConnectionOutcome.BAD_IDENTITY,
        ConnectionOutcome.UNKNOWN_SUBPROTOCOL,
        ConnectionOutcome.UNKNOWN_CHARGE_POINT,
        ConnectionOutcome.UNAUTHORIZED,
        ConnectionOutcome.PROFILE_TOO_LOW,
        ConnectionOutcome.CERTIFICATE_REFUSED,
        ConnectionOutcome.HELD_BACK,
        ConnectionOutcome.TOO_MANY_CONNECTIONS,
        ConnectionOutcome.TOO_MANY_UNKNOWN,
        ConnectionOutcome.TLS_FAILED,
        ConnectionOutcome.ADMISSION_FAILED,
        ConnectionOutcome.HANDSHAKE_TIMEOUT,
    }
)
"""Those that somebody has to do something about; who left by himself, such as a probe of a port, isn't among them."""
