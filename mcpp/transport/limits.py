"""The limits of a connection, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times in seconds; the defaults suit a heartbeat interval of 300 s."""

    handshake_timeout: float = 10.0
    """From the TCP connection to the answer of the opening handshake, admission included."""
    refusal_grid: float = 0.25
    """After its request, or a multiple, a refusal leaves: far longer than it takes to check a password."""
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
    call_queue_bytes: int = 1 << 20
    """Their payloads together."""
    incoming_call_limit: int = 32
    """Incoming CALLs of one connection that may wait to be handled; then nothing more is read from it."""
    incoming_call_bytes: int = 1 << 18
    """Their frames together, with what else each of them takes; the last one may go beyond."""
    max_message_size: int = 131_072
    """Bytes of a message, its fragments together."""
    max_request_size: int = 16_384
    """Bytes of the handshake's request."""
    unhandled_bytes: int = 64 << 20
    """Of what is there and not handled, over all connections: see `memory`."""

    messages_per_second: float = 500.0
    """Of one charge point, on average over `message_rate_window`; then nothing more is read for a while."""
    message_rate_window: float = 10.0
    """What a charge point hasn't used for so long it may use at once, such as for what it gathered while offline."""
    frames_per_turn: int = 16
    """Frames of one connection that are handled before the others have their turn."""
    turn_time: float = 0.002
    """After which no further frame is begun in the same turn. So a turn lasts as long as one frame at most takes."""
    turns_time: float = 0.004
    """Of each round of the event loop, for all connections that have sent more than fits one turn."""
