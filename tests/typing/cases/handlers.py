"""Handlers: each line marked `E:` must be that mypy error, every other line must be none."""

from mcpp.csms.calls import CallContext, CallRouter
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    AuthorizeRequest,
    HeartbeatRequest,
    HeartbeatResponse,
    MeterValuesRequest,
    MeterValuesResponse,
)


def heartbeat(context: CallContext, request: HeartbeatRequest) -> HeartbeatResponse:
    return HeartbeatResponse(current_time=context.received_at)


async def meter_values(context: CallContext, request: MeterValuesRequest) -> MeterValuesResponse:
    return MeterValuesResponse()


def wrong_request(context: CallContext, request: AuthorizeRequest) -> HeartbeatResponse:
    return HeartbeatResponse(current_time=context.received_at)


async def wrong_response(context: CallContext, request: HeartbeatRequest) -> MeterValuesResponse:
    return MeterValuesResponse()


def register(router: CallRouter) -> None:
    router.add(actions.HEARTBEAT, heartbeat)
    router.add(actions.METER_VALUES, meter_values)
    router.add(actions.HEARTBEAT, wrong_request)  # E: arg-type
    router.add(actions.HEARTBEAT, wrong_response)  # E: arg-type
    router.add(actions.METER_VALUES, heartbeat)  # E: arg-type


def wrong_field(context: CallContext) -> HeartbeatResponse:
    return HeartbeatResponse(current_time="2026-01-01T00:00:00Z")  # E: arg-type


def unknown_field(context: CallContext) -> HeartbeatResponse:
    return HeartbeatResponse(current_time=context.received_at, interval=1)  # E: call-arg
