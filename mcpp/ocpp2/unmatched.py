"""Messages that were kept aside, from their stored payload back to the domain."""

from __future__ import annotations

from mcpp.domain.assignment import Content
from mcpp_generated.db.enums import UnmatchedKind


def read_content(kind: UnmatchedKind, payload: str) -> Content:
    """What a stored MeterValues reports; a transaction's end is never kept aside, since it names its transaction."""
    raise NotImplementedError
