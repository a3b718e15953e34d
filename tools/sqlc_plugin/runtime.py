"""How SQLite spells times and lists: what the generated code converts by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def to_milliseconds(moment: datetime) -> int:
    """An aware datetime as it is stored, microseconds cut off; raises TypeError where there is no zone."""
    since = moment - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000


def from_milliseconds(stored: int) -> datetime:
    """A stored time, in UTC."""
    return _EPOCH + _MILLISECOND * stored  # exact, unlike fromtimestamp, and faster than timedelta(milliseconds=…)


def to_array(values: Sequence[int | float | str]) -> str:
    """The values of a slice, as json_each reads them."""
    return json.dumps(values)
