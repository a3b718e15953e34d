"""The limits of a connection, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times in seconds; the defaults suit a heartbeat interval of 300 s."""

    handshake_timeout: float = 10.0
    """From the TCP connection to the answer of the opening handshake, admission included."""
    idle_timeout: float = 900.0
    """Without any frame for this long a connection counts as dead; it's pinged after each silent third."""
    call_timeout: float = 30.0
    """For the answer to a CALL of ours, from its sending."""
    write_timeout: float = 30.0
    """For a charge point that has stopped reading to read on."""
    close_timeout: float = 2.0
    """For the other side's part of the closing handshake."""
    drain_timeout: float = 2.5
    """For running handlers to finish at shutdown."""
    call_queue_limit: int = 32
    """Commands that may wait for one charge point."""
    incoming_call_limit: int = 32
    """Incoming CALLs of one connection that may wait to be handled; then nothing more is read from it."""
    max_message_size: int = 131_072
    """Bytes of a message, its fragments together."""
