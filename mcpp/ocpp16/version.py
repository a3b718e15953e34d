"""OCPP 1.6 edition 2 with its security extension, as one object."""

from __future__ import annotations

from functools import cache

from pydantic import BaseModel

from mcpp.csms.decoding import ReadSubject, by_field_names
from mcpp.csms.version import Version
from mcpp.ocpp16 import core, firmware, metering, security
from mcpp.ocpp16.answers import ANSWERS, new_password
from mcpp.ocpp16.certificates import Ocpp16CertificateOperations
from mcpp.ocpp16.local_list_sync import local_list_sync
from mcpp.ocpp16.operations import operations, remote_stop
from mcpp.ocpp16.repairs import REPAIRS
from mcpp.ocpp16.unmatched import read_content
from mcpp_generated.ocpp16.actions import ACTIONS
from mcpp_generated.ocpp16.models import ChargingProfile, SetChargingProfileRequest


@cache
def read_subject(model: type[BaseModel]) -> ReadSubject | None:
    """1.6 calls it the same everywhere, but in a profile for a transaction that runs (§7.8)."""
    return _of_profile if model is SetChargingProfileRequest else by_field_names(model)


def _of_profile(request: BaseModel) -> tuple[int | None, int | None, int | None]:
    assert isinstance(request, SetChargingProfileRequest)
    return request.connector_id, request.cs_charging_profiles.transaction_id, None


OCPP16 = Version(
    actions=ACTIONS,
    handlers=(core.register, metering.register, firmware.register, security.register),
    repairs=REPAIRS,
    read_subject=read_subject,
    answers=ANSWERS,
    new_password=new_password,
    remote_stop=remote_stop,
    operations=operations,
    certificate_operations=Ocpp16CertificateOperations,
    local_list_sync=local_list_sync,
    charging_profile=ChargingProfile,
    read_unmatched=read_content,
)
