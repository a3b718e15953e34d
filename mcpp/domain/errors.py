"""Why something that a person requests can't be done; the text is for that person."""

from __future__ import annotations


class DomainError(Exception):
    """Base of them; nothing was changed."""


class Unknown(DomainError):
    """What it's about isn't in the database."""


class Conflict(DomainError):
    """It conflicts with what is stored."""
