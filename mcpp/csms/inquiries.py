"""What a charge point is asked about a transaction that may be over, in no version's words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeAlias

from mcpp.csms.live import LiveChargePoints
from mcpp.domain.inquiries import Inquiry, TransactionAnswer
from mcpp.ocppj.errors import CallRefused, CommandError, InvalidAnswer

AskTransaction: TypeAlias = Callable[[str, str], Awaitable[TransactionAnswer]]
"""Asks a charge point, by its identity, about a transaction of its own id; raises CommandError."""

_NOT_ASKED: Final = TransactionAnswer.UNKNOWN


async def ask_all(
    inquiries: Sequence[Inquiry], live: LiveChargePoints, by_version: Mapping[str, AskTransaction | None]
) -> list[tuple[Inquiry, TransactionAnswer]]:
    """Ask all charge points at once; those that don't answer in time are left out, to be asked again later."""
    answers = await asyncio.gather(*(_ask(inquiry, live, by_version) for inquiry in inquiries))
    return [(inquiry, answer) for inquiry, answer in zip(inquiries, answers, strict=True) if answer is not None]


async def _ask(
    inquiry: Inquiry, live: LiveChargePoints, by_version: Mapping[str, AskTransaction | None]
) -> TransactionAnswer | None:
    version = live.version_of(inquiry.charge_point_id)
    if version is None:
        return None
    ask = by_version[version]
    if ask is None:
        return _NOT_ASKED
    try:
        return await ask(inquiry.charge_point_id, inquiry.ocpp_transaction_id)
    except (CallRefused, InvalidAnswer):
        return TransactionAnswer.UNKNOWN
    except CommandError:
        return None
