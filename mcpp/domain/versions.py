"""Which versions of OCPP a charge point may speak, as an operator says, and which one of those a connection gets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_SEPARATOR = ","


def read_versions(stored: str | None) -> tuple[str, ...] | None:
    """As stored with a charge point; None: all that the server speaks."""
    return None if stored is None else tuple(stored.split(_SEPARATOR))


def spell_versions(versions: Sequence[str] | None) -> str | None:
    """The same to be stored."""
    return None if versions is None else _SEPARATOR.join(dict.fromkeys(versions))


def choose_version(offered: Iterable[str], allowed: Sequence[str] | None) -> str | None:
    """The first of those that a charge point offers, in its own order, that it may speak; None where there is none."""
    return next((version for version in offered if allowed is None or version in allowed), None)
