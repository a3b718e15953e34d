"""What measures plugins; telemetry implements it."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Called from any thread; must not block and must not raise."""

    def on_call(self, plugin: str, hook: str, seconds: float) -> None:
        """A hook was called, and has returned, raised or run out of time."""
        ...

    def on_failure(self, plugin: str, hook: str, error: BaseException) -> None:
        """A hook raised this or ran out of time; where it was a question, the books decide."""
        ...

    def on_dropped(self, plugin: str, hook: str, *, first: bool) -> None:
        """An event never reached a hook, since too many wait already; `first` since there was room."""
        ...
