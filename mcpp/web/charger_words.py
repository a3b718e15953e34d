"""What a charger reports, in plain words: what is wrong with a connector, and why a session ended.

The API, the log and the charger's manual have the reports as OCPP spells them; pages show that beside the words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from mcpp.domain.statuses import ConnectorError, StopReason
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

STOP_REASONS: Final[Mapping[str, str]] = {
    StopReason.EMERGENCY_STOP: msgid("emergency stop"),
    StopReason.EV_DISCONNECTED: msgid("unplugged at the car"),
    StopReason.HARD_RESET: msgid("restart at once"),
    StopReason.LOCAL: msgid("at the charger"),
    StopReason.OTHER: msgid("other reason"),
    StopReason.POWER_LOSS: msgid("power cut"),
    StopReason.REBOOT: msgid("restart of the charger"),
    StopReason.REMOTE: msgid("remotely"),
    StopReason.SOFT_RESET: msgid("restart in order"),
    StopReason.UNLOCK_COMMAND: msgid("cable unlocked remotely"),
    StopReason.DE_AUTHORIZED: msgid("the card may charge no more"),
    StopReason.ENERGY_LIMIT_REACHED: msgid("limit of energy reached"),
    StopReason.GROUND_FAULT: msgid("ground fault"),
    StopReason.IMMEDIATE_RESET: msgid("restart at once"),
    StopReason.LOCAL_OUT_OF_CREDIT: msgid("credit used up"),
    StopReason.MASTER: msgid("by a master card"),
    StopReason.OVERCURRENT_FAULT: msgid("too much current"),
    StopReason.POWER_QUALITY: msgid("poor power supply"),
    StopReason.REQUEST_REJECTED: msgid("the car’s wish was refused"),
    StopReason.SOC_LIMIT_REACHED: msgid("battery full enough"),
    StopReason.STOPPED_BY_EV: msgid("by the car"),
    StopReason.TIME_LIMIT_REACHED: msgid("limit of time reached"),
    StopReason.TIMEOUT: msgid("no car was plugged in, in time"),
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
