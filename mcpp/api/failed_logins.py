"""Slows down whoever guesses tokens, at the API and at the log-in; a right one always passes, wherever it's from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from time import monotonic
from typing import Final

import structlog
from starlette.types import Scope

from mcpp.api.problems import ApiError
from mcpp.phrases import Phrase

FREE: Final = 10
"""Wrong tokens of an address that are answered at once, with 401."""

FORGOTTEN_AFTER: Final = 300.0
"""Seconds without a wrong one."""

LONGEST_WAIT: Final = 60
"""Seconds that an address is asked to wait."""

_ADDRESSES: Final = 1024
"""That are known at a time; the one that was longest quiet gives way."""

_HELD: Final = 64
"""Answers that are held back at a time; beyond that they go out at once, since each holds a connection."""

_HOLD_SECONDS: Final = 0.2


class FailedLogins:
    """Wrong tokens by address. Used on the event loop."""

    def __init__(
        self,
        counted_as: Callable[[str], str | None] = lambda address: address,
        now: Callable[[], float] = monotonic,
        hold_seconds: float = _HOLD_SECONDS,
    ) -> None:
        """`counted_as` says for which network an address stands; None where it isn't counted, as loopback."""
        self._counted_as = counted_as
        self._now = now
        self._hold_seconds = hold_seconds
        self._held = 0
        self._failures: dict[str, tuple[int, float]] = {}

    async def slow_down(self, scope: Scope) -> ApiError | None:
        """A request has brought a wrong token. Returns the answer where too many have come from there."""
        wait = await self.add((scope.get("client") or ("", 0))[0])
        if wait is None:
            return None
        detail = Phrase("too many wrong tokens have come from this address; try again in {seconds} s", seconds=wait)
        headers = {"Retry-After": str(wait)}
        return ApiError(HTTPStatus.TOO_MANY_REQUESTS, "too_many_failed_logins", detail, headers=headers)

    async def add(self, address: str) -> int | None:
        """A wrong token has come. Returns after how many seconds to try again; None where nothing speaks against it.

        Takes its time where there have been too many.
        """
        name = self._counted_as(address)
        if name is None:
            return None
        now = self._now()
        count, latest = self._failures.pop(name, (0, now))
        count = 1 if now - latest >= FORGOTTEN_AFTER else count + 1
        self._failures[name] = count, now
        if len(self._failures) > _ADDRESSES:
            del self._failures[next(iter(self._failures))]
        if count <= FREE:
            return None
        if count == FREE + 1:
            structlog.get_logger().warning(
                "api_logins_failed", category="system", remote_address=address[:100], failures=count
            )
        if self._held < _HELD:
            self._held += 1
            try:
                await asyncio.sleep(self._hold_seconds)
            finally:
                self._held -= 1
        return min(1 << min(count - FREE, 16), LONGEST_WAIT)
