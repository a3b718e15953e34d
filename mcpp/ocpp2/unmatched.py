"""Messages that were kept aside, from their stored payload back to the domain."""

from __future__ import annotations

from mcpp.domain.assignment import Content
from mcpp.ocpp2.metering import samples_of
from mcpp_generated.db.enums import UnmatchedKind
from mcpp_generated.ocpp21 import actions


def read_content(_kind: UnmatchedKind, payload: str) -> Content:
    """What stored meter values report.

    None are kept aside in these versions: a transaction is known by its first event, and meter values name none.
    """
    return Content(None, samples_of(actions.METER_VALUES.decode_request(payload.encode()).meter_value))
