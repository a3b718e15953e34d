"""Why something that a person asks of the books can't be done; the text is for that person."""

from __future__ import annotations


class DomainError(Exception):
    """Base of them; nothing was changed."""


class Unknown(DomainError):
    """What it's about isn't in the books."""


class Conflict(DomainError):
    """It doesn't fit what the books say."""
