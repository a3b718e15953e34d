"""A limit of current as charging profiles, by the same rules in every version (OCPP 1.6 §3.13, OCPP 2.0.1 K01).

A limit is a charging profile with one period and no start of its own, so that no charge point's clock matters: a
TxDefaultProfile for the transactions to come and a TxProfile for the one that runs, which some charge points need to
obey at once. Both have ids by their place, so a later limit replaces them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import ROUND_DOWN, Decimal
from typing import Final, TypeAlias

STACK_LEVEL: Final = 0
"""The one level that every charge point has; an operator's own profile on a higher one goes before."""

_FIRST_PROFILE_ID: Final = 16_000_000
"""Far from the ids that people choose; each place has two from here on: the default's and the transaction's."""

_TENTH: Final = Decimal("0.1")

SetLimit: TypeAlias = Callable[[int, Decimal], Awaitable[bool]]
"""Sets a profile of this id to a limit in A; whether it was accepted."""


async def limit_by_profiles(
    place: int,
    amperes: Decimal | None,
    *,
    clear: Callable[[int], Awaitable[None]],
    limit_default: SetLimit,
    limit_running: SetLimit,
) -> bool:
    """Limit a place, a connector (1.6) or an EVSE (2.x), to a current in A; None lifts it. Tenths are rounded down.

    `limit_running` says True where no transaction runs. The result is True only if all of it was accepted; else, as
    when something is raised, a part of it may be in force.
    """
    default_id = _FIRST_PROFILE_ID + 2 * place
    running_id = default_id + 1
    if amperes is None:
        await clear(default_id)
        await clear(running_id)
        return True
    limit = amperes.quantize(_TENTH, rounding=ROUND_DOWN)
    accepted = await limit_default(default_id, limit)
    # Only now: a transaction that begins after this has begun under the default.
    return await limit_running(running_id, limit) and accepted
