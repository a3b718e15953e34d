"""Which traces are recorded: those whose ids, lower half, are below a bound; so it's known before anything is made.

The samplers of `OTEL_TRACES_SAMPLER` decide in the same way (OpenTelemetry SDK, TraceIdRatioBased), so whoever asks
them of the same trace gets the same answer.
"""

from __future__ import annotations

from typing import Final

from opentelemetry.trace import SpanContext

_IDS: Final = 1 << 64
"""How many lower halves there are."""

_ABOVE_ALL: Final = "g"
"""As text it is more than any hex digit."""


class Sampling:
    """Decides by ids alone; may be used from any thread."""

    __slots__ = ("_bound", "_bound_text", "_follows_callers")

    def __init__(self, ratio: float, *, follows_callers: bool) -> None:
        """Record this share of the traces, 0 to 1; `follows_callers`: what was recorded where it began, always."""
        self._bound = round(ratio * _IDS)
        self._bound_text = f"{self._bound:016x}" if self._bound < _IDS else _ABOVE_ALL
        self._follows_callers = follows_callers

    def records(self, correlation_id: str) -> bool:
        """Whether a trace that begins here is recorded, by its 32 lowercase hex digits."""
        return correlation_id[16:] < self._bound_text

    def records_for(self, caller: SpanContext) -> bool:
        """Whether what a span elsewhere has set off is recorded."""
        if self._follows_callers:
            return caller.trace_flags.sampled
        return caller.trace_id % _IDS < self._bound
