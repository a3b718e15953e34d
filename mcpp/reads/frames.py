"""A charge point's last frames as people get to see them: as they were sent, secrets masked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import orjson

from mcpp.bounds import MARK
from mcpp.csms.frames import Frame, FrameBook
from mcpp.redaction import may_hide_secret, redact, redact_text


class FrameDirection(StrEnum):
    """As log lines have it."""

    IN = "in"
    """From the charge point."""
    OUT = "out"


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """A frame of OCPP-J in either direction."""

    at: datetime
    direction: FrameDirection
    text: str
    """As it was sent, or its beginning; where there may be secrets, without these and without blanks."""
    size_bytes: int
    """That it had."""
    cut: bool
    """Whether the text is only its beginning."""


def list_frames(book: FrameBook, charge_point_id: str, limit: int, at: Callable[[float], datetime]) -> list[ShownFrame]:
    """The last ones of a charge point, the newest last; `at` tells the time of a moment by the monotonic clock."""
    return [_shown(frame, at) for frame in book.newest_last(charge_point_id)[-limit:]]


def _shown(frame: Frame, at: Callable[[float], datetime]) -> ShownFrame:
    is_cut = len(frame.beginning) < frame.size
    direction = FrameDirection.OUT if frame.is_out else FrameDirection.IN
    return ShownFrame(at(frame.at), direction, shown_text(frame.beginning, is_cut=is_cut), frame.size, is_cut)


def shown_text(frame: bytes, *, is_cut: bool) -> str:
    """A frame's text with its secrets masked."""
    text = frame.decode(errors="backslashreplace")
    mark = MARK if is_cut else ""
    if not may_hide_secret(frame):
        return text + mark
    if not is_cut:
        try:
            return orjson.dumps(redact(orjson.loads(frame))).decode()
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # no JSON, or none that can be written again
            return redact_text(text)
    # What would have shown that a value is secret may be what is missing: only whole objects are looked at.
    return redact_text(text[: text.rfind("}") + 1] or text[: text.find("{") + 1]) + mark
