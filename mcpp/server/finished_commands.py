"""Publishes every command that is over, whoever sent it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from pydantic import BaseModel

from mcpp.domain.events import CommandFinished, CommandOutcome, Event
from mcpp.ocppj.errors import CallRefused, CallTimeout, ConnectionLost, InvalidAnswer
from mcpp.ocppj.flow import Flow

_OUTCOMES: Final = {
    CallRefused: CommandOutcome.REFUSED,
    CallTimeout: CommandOutcome.TIMEOUT,
    ConnectionLost: CommandOutcome.CONNECTION_LOST,
}


_utc_now: Final = partial(datetime.now, UTC)


class FinishedCommands:
    """Turns what the transport reports of a command's end into an event."""

    def __init__(
        self,
        publish: Callable[[Iterable[Event]], None],
        not_understood: Callable[[Flow, InvalidAnswer], None] | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """`not_understood` learns of answers that break the contract."""
        self._publish = publish
        self._not_understood = not_understood
        self._now = now

    def __call__(self, flow: Flow, result: BaseModel | Exception) -> None:
        """Publish a command that brought this response, or why it brought none."""
        if isinstance(result, InvalidAnswer) and self._not_understood is not None:
            self._not_understood(flow, result)
        failed = isinstance(result, Exception)
        event = CommandFinished(
            charge_point_id=flow.peer.identity,
            correlation_id=flow.correlation_id,
            at=self._now(),
            action=flow.action,
            message_id=flow.message_id,
            outcome=_OUTCOMES.get(type(result), CommandOutcome.INVALID_ANSWER) if failed else CommandOutcome.ANSWERED,
            status=None if failed else _status(result),
            error_code=result.code if isinstance(result, CallRefused) else None,
            duration_seconds=time.perf_counter() - flow.started,
        )
        self._publish((event,))


def _status(response: object) -> str | None:
    status: object = getattr(response, "status", None)
    return None if status is None else str(status)
