"""The device model (OCPP 2.0.1 part 2, B05 to B08): reports of variables, and what answers about variables mean."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from functools import partial
from typing import Final

from mcpp import bounds
from mcpp.csms.answers import AnyMeaning, Meaning, means
from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import device_model, device_reports
from mcpp.domain.device_model import Variable
from mcpp.domain.device_reports import ReportChunk
from mcpp.ocpp2.keeping import keep_report
from mcpp.ocpp2.naming import ref_of, reported_by
from mcpp.ocpp2.passwords import password_results
from mcpp.storage.pending import Pending
from mcpp_generated.db.enums import DeviceReportKind, Mutability
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    GenericDeviceModelStatusEnumType,
    GetBaseReportRequest,
    GetBaseReportResponse,
    GetReportRequest,
    GetReportResponse,
    GetVariablesRequest,
    GetVariablesResponse,
    GetVariableStatusEnumType,
    NotifyReportRequest,
    NotifyReportResponse,
    ReportBaseEnumType,
    ReportDataType,
    SetVariablesRequest,
    SetVariablesResponse,
    SetVariableStatusEnumType,
)

_TAKEN: Final = frozenset({SetVariableStatusEnumType.ACCEPTED, SetVariableStatusEnumType.REBOOT_REQUIRED})
_NOT_THERE: Final = frozenset(
    {
        GetVariableStatusEnumType.UNKNOWN_COMPONENT,
        GetVariableStatusEnumType.UNKNOWN_VARIABLE,
        GetVariableStatusEnumType.NOT_SUPPORTED_ATTRIBUTE_TYPE,
    }
)


def register(router: CallRouter) -> None:
    """Route the block's CALLs to their handlers."""
    router.add(actions.NOTIFY_REPORT, notify_report)


def notify_report(
    context: CallContext, request: NotifyReportRequest
) -> Pending[NotifyReportResponse] | Awaitable[NotifyReportResponse]:
    """B07, B08: a part of a report of variables."""
    attributes = sum([len(told.variable_attribute) for told in request.report_data or ()])
    size = attributes * bounds.DEVICE_VARIABLE_ROW
    return keep_report(context, NotifyReportResponse(), size, device_model.note_variables, partial(_read, request))


def _read(request: NotifyReportRequest) -> tuple[list[Variable], ReportChunk]:
    chunk = ReportChunk(
        kind=DeviceReportKind.VARIABLES,
        request_id=request.request_id,
        seq_no=request.seq_no,
        is_last=not request.tbc,
        content=reported_by(request),
    )
    return [variable for told in request.report_data or () for variable in _variables(told)], chunk


def _variables(told: ReportDataType) -> Iterator[Variable]:
    """One of each attribute."""
    is_like = told.variable_characteristics
    for attribute in told.variable_attribute:
        mutability = attribute.mutability
        yield Variable(
            ref=ref_of(told.component, told.variable, attribute.type),
            value=attribute.value,
            mutability=None if mutability is None else Mutability(mutability.value),
            data_type=None if is_like is None else is_like.data_type.value,
            unit=None if is_like is None else is_like.unit,
            min_limit=None if is_like is None else is_like.min_limit,
            max_limit=None if is_like is None else is_like.max_limit,
            max_elements=None if is_like is None else is_like.max_elements,
            values_list=None if is_like is None else is_like.values_list,
            supports_monitoring=None if is_like is None else is_like.supports_monitoring,
            is_persistent=attribute.persistent,
            is_constant=attribute.constant,
        )


def _get_base_report(request: GetBaseReportRequest, response: GetBaseReportResponse) -> Meaning | None:
    """B07."""
    is_full = request.report_base is ReportBaseEnumType.FULL_INVENTORY
    return _report_comes(request.request_id, response.status, is_full=is_full)


def _get_report(request: GetReportRequest, response: GetReportResponse) -> Meaning | None:
    """B08."""
    return _report_comes(request.request_id, response.status, is_full=False)


def _report_comes(request_id: int, status: GenericDeviceModelStatusEnumType, *, is_full: bool) -> Meaning | None:
    if status is not GenericDeviceModelStatusEnumType.ACCEPTED:
        return None
    kind = DeviceReportKind.VARIABLES
    return Meaning(partial(device_reports.note_report_request, kind=kind, request_id=request_id, is_full=is_full))


def _get_variables(_: GetVariablesRequest, response: GetVariablesResponse) -> Meaning:
    """B06."""
    results = response.get_variable_result
    known = [
        Variable(ref_of(told.component, told.variable, told.attribute_type), told.attribute_value)
        for told in results
        if told.attribute_status is GetVariableStatusEnumType.ACCEPTED
    ]
    unknown = [
        ref_of(told.component, told.variable, told.attribute_type)
        for told in results
        if told.attribute_status in _NOT_THERE
    ]
    return Meaning(partial(device_model.note_variables, variables=known, unknown=unknown))


def _set_variables(request: SetVariablesRequest, response: SetVariablesResponse) -> Meaning:
    """B05: what needs a reboot is accepted too. Results come in any order."""
    taken = {
        ref_of(told.component, told.variable, told.attribute_type).key.casefold()
        for told in response.set_variable_result
        if told.attribute_status in _TAKEN
    }
    changes = [
        (ref, wanted.attribute_value)
        for wanted in request.set_variable_data
        if (ref := ref_of(wanted.component, wanted.variable, wanted.attribute_type)).key.casefold() in taken
    ]
    change = partial(device_model.note_change, changes=changes) if changes else None
    return Meaning(change, takes_password=password_results(request, response))


ANSWERS: Final[dict[str, AnyMeaning]] = dict(
    (
        means(actions.GET_BASE_REPORT, _get_base_report),
        means(actions.GET_REPORT, _get_report),
        means(actions.GET_VARIABLES, _get_variables),
        means(actions.SET_VARIABLES, _set_variables),
    )
)
