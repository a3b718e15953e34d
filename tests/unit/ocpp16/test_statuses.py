"""OCPP 1.6's words and the domain's: both are spelled the same, and each has its counterpart."""

from __future__ import annotations

from enum import StrEnum

import pytest

from mcpp.domain.statuses import ConnectorError, ConnectorStatus, StopReason
from mcpp_generated.ocpp16.models import ChargePointErrorCode, ChargePointStatus, Reason


@pytest.mark.parametrize(
    ("wire", "domain"),
    [(ChargePointStatus, ConnectorStatus), (ChargePointErrorCode, ConnectorError), (Reason, StopReason)],
)
def test_the_domain_has_a_word_for_each_of_the_versions(wire: type[StrEnum], domain: type[StrEnum]) -> None:
    assert [member.value for member in domain] == [member.value for member in wire]
