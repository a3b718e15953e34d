"""What is remembered of those who aren't who they say: failed logins, and unknown identities.

Times are in seconds of a clock that never goes back. An address is as `counted_as` has it; None counts for none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from mcpp.server.bounded import BoundedTable

_TABLE_SIZE: Final = 10_000
"""Entries; some 2 MiB."""

FREE_ATTEMPTS: Final = 10
"""Wrong passwords for one identity from one address, before they are slowed."""
FREE_ATTEMPTS_OF_ADDRESS: Final = 100
"""The same for all identities together."""
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 60.0
"""A charge point behind the address of somebody who guesses comes again within that."""
_FORGOTTEN_AFTER: Final = 3600.0
"""Since the last wrong one."""


class _Failures:
    __slots__ = ("count", "last")

    def __init__(self) -> None:
        self.count = 0
        self.last = 0.0


class FailedLogins:
    """Wrong passwords by identity and address, and by address: after some, each waits twice as long as the one before.

    The first count keeps a stranger from locking out a charge point that is elsewhere; the second is for chargers that
    have never proven who they are.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pairs: BoundedTable[tuple[str, str | None], _Failures] = BoundedTable(_TABLE_SIZE)
        self._addresses: BoundedTable[str, _Failures] = BoundedTable(_TABLE_SIZE)

    def wait(self, identity: str, address: str | None, *, is_known: bool) -> float:
        """Seconds until the next password may be checked; 0 where it may be now.

        `is_known`: this charge point has proven before who it is.
        """
        wait = self._wait(self._pairs.get((identity, address)), FREE_ATTEMPTS)
        if not is_known and address is not None:
            wait = max(wait, self._wait(self._addresses.get(address), FREE_ATTEMPTS_OF_ADDRESS))
        return wait

    def attempted(self, identity: str, address: str | None) -> None:
        """A password is about to be checked: wrong until it's found to be right, or many would go at once."""
        self._add(self._pairs.get_or_add((identity, address), _Failures))

    def succeeded(self, identity: str, address: str | None) -> None:
        """It was right. Those before it still count: they may have been somebody else's."""
        failures = self._pairs.get((identity, address))
        if failures is not None and failures.count:
            failures.count -= 1

    def failed(self, address: str | None) -> None:
        """It was wrong."""
        if address is not None:
            self._add(self._addresses.get_or_add(address, _Failures))

    def _add(self, failures: _Failures) -> None:
        now = self._clock()
        if now - failures.last > _FORGOTTEN_AFTER:
            failures.count = 0
        failures.count += 1
        failures.last = now

    def _wait(self, failures: _Failures | None, free: int) -> float:
        if failures is None or failures.count < free:
            return 0.0
        doublings = min(failures.count - free, 16)
        pause = min(_FIRST_WAIT * (1 << doublings), _LONGEST_WAIT)
        return max(0.0, failures.last + pause - self._clock())


class _Allowance:
    __slots__ = ("at", "left")

    def __init__(self, left: float, at: float) -> None:
        self.left = left
        self.at = at


class UnknownIdentities:
    """How many unknown identities an address may still bring: so many at once, and as many again over an hour."""

    def __init__(self, per_hour: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_hour = per_hour
        self._clock = clock
        self._addresses: BoundedTable[str, _Allowance] = BoundedTable(_TABLE_SIZE)
        self._counted: BoundedTable[tuple[str, str], bool] = BoundedTable(_TABLE_SIZE)

    def take(self, identity: str, address: str | None) -> bool:
        """Count an identity, unless it was counted before; False where the address may bring no more."""
        if address is None or self._counted.get((address, identity)):
            return True
        allowance = self._allowance(address)
        if allowance.left < 1:
            return False
        allowance.left -= 1
        self._counted.get_or_add((address, identity), lambda: True)
        return True

    def wait(self, address: str | None) -> float:
        """Seconds until the address may bring one more."""
        left = 1.0 if address is None else self._allowance(address).left
        return max(0.0, (1 - left) * 3600 / self._per_hour)

    def _allowance(self, address: str) -> _Allowance:
        now = self._clock()
        allowance = self._addresses.get_or_add(address, lambda: _Allowance(float(self._per_hour), now))
        earned = (now - allowance.at) * self._per_hour / 3600
        allowance.left, allowance.at = min(float(self._per_hour), allowance.left + earned), now
        return allowance
