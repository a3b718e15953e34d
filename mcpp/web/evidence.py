"""What the end of a session was taken from, where its charger didn't say it: in the viewer's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import JsonValue

from mcpp.domain.closing import Cause, EvidenceSource
from mcpp.story.phrases import CAUSES, EVIDENCE_SOURCES, STOP_REGISTER_SOURCE
from mcpp_generated.db.enums import StopMatch


def evidence_lines(evidence: Mapping[str, JsonValue] | None, translate: Callable[[str], str]) -> list[str]:
    """Why the session counts as over, and where its register and time come from; nothing where there's no evidence."""
    if evidence is None:
        return []
    cause, source = str(evidence.get("cause")), str(evidence.get("source"))
    if cause == Cause.STOP_REGISTER and source == EvidenceSource.METER_VALUE:
        taken_from: str | None = STOP_REGISTER_SOURCE
    else:
        taken_from = EVIDENCE_SOURCES.get(source)
    guess = "its stop names another transaction, or none, and fits only this one"
    guessed = guess if evidence.get("match") == StopMatch.GUESSED else None
    lines = [translate(text) for text in (guessed, CAUSES.get(cause), taken_from) if text is not None]
    return [line[:1].upper() + line[1:] for line in lines]
