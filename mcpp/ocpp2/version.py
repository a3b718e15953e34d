"""OCPP 2.0.1 and OCPP 2.1, each as one object of the same handlers, operations and meanings."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from mcpp.csms.answers import AnyMeaning
from mcpp.csms.operations import TransactionIds
from mcpp.csms.version import Version
from mcpp.ocpp2 import (
    authorization,
    availability,
    certificates,
    contract_certificates,
    data_transfer,
    device_model,
    diagnostics,
    displays,
    energy_resources,
    firmware,
    metering,
    monitoring,
    payments,
    provisioning,
    reservations,
    security,
    smart_charging,
    streams,
    transactions,
)
from mcpp.ocpp2.answers import ANSWERS
from mcpp.ocpp2.certificates import Ocpp2CertificateOperations
from mcpp.ocpp2.inquiries import ask_transaction
from mcpp.ocpp2.local_list_sync import local_list_sync
from mcpp.ocpp2.operations import Ocpp2Operations, remote_stop
from mcpp.ocpp2.passwords import new_password
from mcpp.ocpp2.repairs import REPAIRS_21, REPAIRS_201
from mcpp.ocpp2.subjects import read_subject
from mcpp.ocpp2.unmatched import read_content
from mcpp.ocpp2.widening import Calls, of_version, widened_meanings
from mcpp.ocppj.actions import AnyAction
from mcpp.ocppj.readers import Repairs
from mcpp_generated.ocpp21 import actions as actions21
from mcpp_generated.ocpp21 import models as models21
from mcpp_generated.ocpp201 import actions as actions201
from mcpp_generated.ocpp201 import models as models201

_HANDLERS = tuple(
    block.register
    for block in (
        authorization,
        availability,
        certificates,
        contract_certificates,
        data_transfer,
        device_model,
        diagnostics,
        displays,
        energy_resources,
        firmware,
        metering,
        monitoring,
        payments,
        provisioning,
        reservations,
        security,
        smart_charging,
        streams,
        transactions,
    )
)
"""Those of actions that a version doesn't have are passed over."""


def _version(
    actions: Mapping[str, AnyAction],
    repairs: Repairs,
    answers: Mapping[str, AnyMeaning],
    charging_profile: type[BaseModel],
    longest_token: int,
) -> Version:
    def stop(transaction: TransactionIds) -> tuple[AnyAction, BaseModel]:
        return of_version(*remote_stop(transaction), actions)

    return Version(
        actions=actions,
        handlers=_HANDLERS,
        repairs=repairs,
        read_subject=read_subject,
        answers=answers,
        new_password=new_password,
        remote_stop=stop,
        operations=lambda live, transactions, prepare_start: Ocpp2Operations(
            Calls(live, actions, REPAIRS_21), transactions, prepare_start
        ),
        ask_transaction=lambda live: ask_transaction(Calls(live, actions, REPAIRS_21)),
        certificate_operations=lambda live: Ocpp2CertificateOperations(Calls(live, actions, REPAIRS_21)),
        local_list_sync=lambda writer, live, now: local_list_sync(
            writer, Calls(live, actions, REPAIRS_21), now, longest_token
        ),
        charging_profile=charging_profile,
        read_unmatched=read_content,
    )


OCPP21 = _version(actions21.ACTIONS, REPAIRS_21, ANSWERS, models21.ChargingProfileType, longest_token=255)
OCPP201 = _version(
    actions201.ACTIONS,
    REPAIRS_201,
    widened_meanings(ANSWERS, REPAIRS_21),
    models201.ChargingProfileType,
    longest_token=36,
)
