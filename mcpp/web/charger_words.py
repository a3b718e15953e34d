"""What is wrong with a connector, in plain words.

The API, the log and the charger's manual have it as OCPP spells it; the charger's page shows that beside the words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from mcpp.domain.statuses import ConnectorError
from mcpp.web.states import msgid
from mcpp.web.wording import Translate

ERRORS: Final[Mapping[str, str]] = {
    ConnectorError.CONNECTOR_LOCK_FAILURE: msgid("the plug can’t be locked or unlocked"),
    ConnectorError.EV_COMMUNICATION_ERROR: msgid("no understanding with the car"),
    ConnectorError.GROUND_FAILURE: msgid("ground fault"),
    ConnectorError.HIGH_TEMPERATURE: msgid("too hot"),
    ConnectorError.INTERNAL_ERROR: msgid("internal error"),
    ConnectorError.LOCAL_LIST_CONFLICT: msgid("conflict with its list of cards"),
    ConnectorError.OTHER_ERROR: msgid("other error"),
    ConnectorError.OVER_CURRENT_FAILURE: msgid("too much current"),
    ConnectorError.POWER_METER_FAILURE: msgid("the meter doesn’t work"),
    ConnectorError.POWER_SWITCH_FAILURE: msgid("the power switch doesn’t work"),
    ConnectorError.READER_FAILURE: msgid("the card reader doesn’t work"),
    ConnectorError.RESET_FAILURE: msgid("it couldn’t restart"),
    ConnectorError.UNDER_VOLTAGE: msgid("voltage too low"),
    ConnectorError.OVER_VOLTAGE: msgid("voltage too high"),
    ConnectorError.WEAK_SIGNAL: msgid("weak radio signal"),
}

_BETWEEN: Final = ", "
"""Between what a fault consists of: OCPP's word, the vendor's, and what else it says."""


def plain(words: Mapping[str, str], translate: Translate) -> Callable[[str], str]:
    """Puts a report into words; one that isn't among them stays as it is."""

    def say(reported: str) -> str:
        known = words.get(reported)
        return reported if known is None else translate(known)

    return say


def fault_in_words(told: str, translate: Translate) -> str:
    """A fault of the attention list, of which the first part may be OCPP's."""
    first, between, others = told.partition(_BETWEEN)
    return plain(ERRORS, translate)(first) + between + others
