"""The passwords that CALLs of ours give a charge point (A01)."""

from __future__ import annotations

from pydantic import BaseModel


def new_password(request: BaseModel) -> str | None:
    """That of the basic authentication which a CALL of ours sets, in any version's models."""
    return None
