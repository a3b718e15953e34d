"""Commands: each line marked `E:` must be that mypy error, every other line must be none."""

from typing import assert_type

from mcpp.csms.live import LiveChargePoints
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    ClearCacheRequest,
    HeartbeatRequest,
    ResetRequest,
    ResetResponse,
    ResetType,
)


async def reset(charge_points: LiveChargePoints) -> None:
    response = await charge_points.call("CP1", actions.RESET, ResetRequest(type=ResetType.SOFT))
    assert_type(response, ResetResponse)
    await charge_points.call("CP1", actions.RESET, ClearCacheRequest())  # E: misc
    await charge_points.call("CP1", actions.CLEAR_CACHE, HeartbeatRequest())  # E: misc
    actions.RESET.encode_request(ClearCacheRequest())  # E: arg-type
    actions.RESET.encode_response(ResetRequest(type=ResetType.SOFT))  # E: arg-type
