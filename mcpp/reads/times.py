"""Times as those outside get them."""

from __future__ import annotations

from datetime import UTC, datetime


def spell_time(moment: datetime) -> str:
    """RFC 3339, UTC, with milliseconds and `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
