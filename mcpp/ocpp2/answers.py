"""What answers to our CALLs mean to the database, typed by 2.1's models."""

from __future__ import annotations

from typing import Final

from mcpp.csms.answers import AnyMeaning

ANSWERS: Final[dict[str, AnyMeaning]] = {}
"""By action; what isn't there means nothing."""
