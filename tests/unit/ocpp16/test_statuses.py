"""The versions' words and the domain's: they are spelled the same, and each has its counterpart."""

from __future__ import annotations

from enum import StrEnum

import pytest

from mcpp.domain.statuses import ConnectorError, ConnectorStatus, StopReason
from mcpp_generated.ocpp16.models import ChargePointErrorCode, ChargePointStatus, Reason
from mcpp_generated.ocpp21 import models as models21
from mcpp_generated.ocpp201 import models as models201


@pytest.mark.parametrize(
    ("wire", "domain"),
    [(ChargePointStatus, ConnectorStatus), (ChargePointErrorCode, ConnectorError)],
)
def test_the_domain_has_a_word_for_each_of_the_versions(wire: type[StrEnum], domain: type[StrEnum]) -> None:
    assert [member.value for member in domain] == [member.value for member in wire]


def test_the_domain_has_each_versions_reasons_and_no_other() -> None:
    known = [member.value for member in StopReason]
    of_16 = [member.value for member in Reason]
    of_2 = {member.value for kind in (models201.ReasonEnumType, models21.ReasonEnumType) for member in kind}
    assert known[: len(of_16)] == of_16
    assert set(known) == {*of_16, *of_2}
