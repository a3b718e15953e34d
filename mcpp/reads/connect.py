"""What a person needs to know to connect a charger: what to type into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectInfo:
    """What to type into a charger, as it holds now: a machine's addresses may change."""

    url: str
    """The likeliest one. The charger appends its identity; where it doesn't, it's typed behind the last slash."""
    urls: Sequence[str]
    """All that may do, `url` first."""
    only_this_machine: bool
    """The listener is on loopback: no charger elsewhere reaches it."""
    any_path: bool
    """Any other path whose last segment is the identity does as well."""
    encrypted: bool
    """By TLS (wss://)."""
    security_profile: int
    """The least one of OCPP that chargers must use; a single charger may have to use a higher one."""
    password_needed: bool
    """Every charger must send a password, so one has to be stored before it connects."""
    certificate_needed: bool
    """Every charger must have a certificate of its own."""
    must_be_registered: bool
    """An unknown charger is refused: it's registered first."""
