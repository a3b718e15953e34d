"""Messages that are kept aside whole, and what of them is kept where they are too large for that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from mcpp.domain.occasion import OriginalMessage
from mcpp.ocppj.actions import encode, encode_text
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import MeterValue, MeterValuesRequest, StopTransactionRequest


def original_stop(request: StopTransactionRequest) -> OriginalMessage:
    """A StopTransaction.req; nothing but its transactionData makes it large."""

    def shortened(most: int) -> str:
        return _shortened(
            lambda kept: request.model_copy(update={"transaction_data": kept}), request.transaction_data or (), most
        )

    return OriginalMessage(actions.STOP_TRANSACTION.version, partial(encode_text, request), shortened)


def original_meter_values(request: MeterValuesRequest) -> OriginalMessage:
    """A MeterValues.req."""

    def shortened(most: int) -> str:
        return _shortened(lambda kept: request.model_copy(update={"meter_value": kept}), request.meter_value, most)

    return OriginalMessage(actions.METER_VALUES.version, partial(encode_text, request), shortened)


def _shortened(
    with_entries: Callable[[list[MeterValue]], StopTransactionRequest | MeterValuesRequest],
    entries: Sequence[MeterValue],
    most: int,
) -> str:
    """The message with as many meter values of its two ends as there is room for: they say what was delivered."""
    room = most - len(encode(with_entries([])))
    kept: set[int] = set()
    for pair in range((len(entries) + 1) // 2):
        for index in {pair, len(entries) - 1 - pair}:
            room -= len(encode(entries[index])) + 1
            if room >= 0:
                kept.add(index)
        if room < 0:
            break
    return encode_text(with_entries([entries[index] for index in sorted(kept)]))
