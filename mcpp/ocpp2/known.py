"""OCPP 2.0.1 and 2.1 as they're known without their models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from mcpp.csms.version import KnownVersion, Version
from mcpp.csms.vocabulary import Vocabulary
from mcpp.ocpp2.buttons import BUTTONS, KEY_CHANGE
from mcpp.ocpp2.errors import COUNTED_AS, SPELLING
from mcpp.ocppj.frames import Framing
from mcpp_generated import ocpp21, ocpp201

_UNREAD_ID: Final = "-1"
"""Of the CALLERROR to a message whose own UniqueId can't be read (OCPP-J 2.0.1 §4.2.3)."""


def _import_201() -> Version:
    from mcpp.ocpp2.version import OCPP201  # its models take 0.3 s

    return OCPP201


def _import_21() -> Version:
    from mcpp.ocpp2.version import OCPP21  # its models take 0.3 s

    return OCPP21


def _known(
    name: str, calls: frozenset[str], commands: Mapping[str, str], framing: Framing, import_room: Callable[[], Version]
) -> KnownVersion:
    return KnownVersion(
        name=name,
        subprotocol=f"ocpp{name}",
        calls=calls,
        commands=commands,
        error_codes=SPELLING,
        counted_error_codes=COUNTED_AS,
        opaque={
            "SetVariables": frozenset({"setVariableResult[].attributeStatus"}),
            "GetVariables": frozenset({"getVariableResult[].attributeStatus"}),
            "NotifyReport": frozenset(),
            "NotifyCustomerInformation": frozenset(),
            "SetNetworkProfile": frozenset({"status"}),
            "DataTransfer": frozenset({"vendorId", "messageId", "status"}),
        },
        vocabulary=Vocabulary(
            heartbeat="Heartbeat",
            meter_values="MeterValues",
            authorize="Authorize",
            remote_stop="RequestStopTransaction",
            rejected="Rejected",
        ),
        framing=framing,
        has_evses=True,
        buttons=BUTTONS,
        key_change=KEY_CHANGE,
        import_room=import_room,
    )


KNOWN_201: Final = _known(ocpp201.VERSION, ocpp201.CALLS, ocpp201.COMMANDS, Framing(unread_id=_UNREAD_ID), _import_201)
KNOWN_21: Final = _known(
    ocpp21.VERSION,
    ocpp21.CALLS,
    ocpp21.COMMANDS,
    Framing(has_sends=True, unread_id=_UNREAD_ID, answers_unknown_types=False),
    _import_21,
)
