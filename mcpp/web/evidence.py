"""What the end of a session was taken from, where its charger didn't say it: in the viewer's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import JsonValue

from mcpp.domain.closing import Cause, EvidenceSource
from mcpp.story.phrases import CAUSES, EVIDENCE_SOURCES, STOP_REGISTER_SOURCE
from mcpp_generated.db.enums import StopMatch


def evidence_lines(evidence: Mapping[str, JsonValue] | None, _: Callable[[str], str]) -> list[str]:
    """Why the session counts as over, and where its register and time come from; nothing where there's no evidence.

    `_` gives a text in the viewer's language.
    """
    if evidence is None:
        return []
    cause, source = str(evidence.get("cause")), str(evidence.get("source"))
    lines = []
    if evidence.get("match") == StopMatch.GUESSED:
        lines.append(_("its stop names another session or none, and fits only this one"))
    if cause in CAUSES:
        lines.append(_(CAUSES[cause]))
    if cause == Cause.STOP_REGISTER and source == EvidenceSource.METER_VALUE:
        lines.append(_(STOP_REGISTER_SOURCE))
    elif source in EVIDENCE_SOURCES:
        lines.append(_(EVIDENCE_SOURCES[source]))
    return [line[:1].upper() + line[1:] for line in lines]
