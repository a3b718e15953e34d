"""OCPP 1.6 as it's known without its models."""

from __future__ import annotations

from typing import Final

from mcpp.csms.version import KnownVersion, Version
from mcpp.csms.vocabulary import Vocabulary
from mcpp.ocpp16.buttons import BUTTONS, KEY_CHANGE
from mcpp.ocpp16.errors import COUNTED_AS, SPELLING
from mcpp_generated.ocpp16 import CALLS, COMMANDS, VERSION


def _import_room() -> Version:
    from mcpp.ocpp16.version import OCPP16  # its models take 0.1 s

    return OCPP16


KNOWN: Final = KnownVersion(
    name=VERSION,
    subprotocol="ocpp1.6",
    calls=CALLS,
    commands=COMMANDS,
    error_codes=SPELLING,
    counted_error_codes=COUNTED_AS,
    opaque={
        "ChangeConfiguration": frozenset({"status"}),
        "GetConfiguration": frozenset({"configurationKey[].key", "configurationKey[].readonly", "unknownKey[]"}),
        "DataTransfer": frozenset({"vendorId", "messageId", "status"}),
    },
    vocabulary=Vocabulary(
        heartbeat="Heartbeat",
        meter_values="MeterValues",
        authorize="Authorize",
        remote_stop="RemoteStopTransaction",
        rejected="Rejected",
    ),
    buttons=BUTTONS,
    key_change=KEY_CHANGE,
    import_room=_import_room,
)
