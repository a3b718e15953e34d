"""What OCPP 1.6 calls the messages that a reader of the log looks for."""

from __future__ import annotations

from typing import Final

from mcpp.csms.vocabulary import Vocabulary
from mcpp_generated.ocpp16 import actions

VOCABULARY: Final = Vocabulary(
    heartbeat=actions.HEARTBEAT.name,
    meter_values=actions.METER_VALUES.name,
    authorize=actions.AUTHORIZE.name,
)
