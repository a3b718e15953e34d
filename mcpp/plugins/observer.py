"""What measures plugins; telemetry implements it."""

from __future__ import annotations

from typing import Protocol

from mcpp.ocppj.flow import TraceContext


class HookCall(Protocol):
    """A call of a plugin's hook or job that is under way."""

    @property
    def cause(self) -> TraceContext | None:
        """Of what the hook does."""
        ...

    def end(self, *, failed: bool) -> None:
        """It has returned, raised or run out of time."""
        ...


class PluginObserver(Protocol):
    """Called from any thread; must not block and must not raise."""

    def begin(self, plugin: str, hook: str, by: TraceContext | None) -> HookCall:
        """A hook is about to be called, set off by this."""
        ...

    def on_failure(self, plugin: str, hook: str, error: BaseException) -> None:
        """A hook raised this or ran out of time; where it was a question, the server decides by itself."""
        ...

    def on_dropped(self, plugin: str, hook: str, *, first: bool) -> None:
        """An event never reached a hook, since too many wait already; `first` since there was room."""
        ...
