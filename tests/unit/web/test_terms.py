"""Closed sets that pages name have a word for each member."""

from __future__ import annotations

import re
from pathlib import Path

from mcpp.csms.conformance import REFUSED
from mcpp.domain.statuses import ConnectorError, StopReason
from mcpp.ocppj.rules import Rule
from mcpp.story.endings import REASONS
from mcpp.web.charger_words import ERRORS
from mcpp.web.terms import CERTIFICATE_STATES, REPORT_KINDS, RULES
from mcpp_generated.db.enums import CertificateState, ReportKind

_DOCUMENTED = Path(__file__).parents[3] / "docs" / "deviations.md"


def test_every_member_has_a_word() -> None:
    of_frames = (
        _DOCUMENTED.read_text(encoding="utf-8").partition("A frame has rules of its own: ")[2].partition("\n\n")[0]
    )
    frames = set(re.findall(r"`(\w+)`", of_frames))

    assert {*StopReason} == REASONS.keys()
    assert {*ConnectorError} - {ConnectorError.NO_ERROR} == ERRORS.keys()
    assert {*CertificateState} <= CERTIFICATE_STATES.keys()
    assert {*ReportKind} <= REPORT_KINDS.keys()
    assert {*Rule, REFUSED, *frames} <= RULES.keys()
    assert {"byte_order_mark", "error_details"} <= frames
