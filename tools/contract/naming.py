"""How the specification's names are spelled in Python."""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[^A-Za-z0-9]+")
_BOUNDARIES = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])|(?<=[A-Za-z][a-z])(?=[0-9]{5})")


def constant(name: str) -> str:
    """`BootNotification` is BOOT_NOTIFICATION, `GetDERControl` GET_DER_CONTROL, `s309-1P-16A` S309_1P_16A."""
    return _BOUNDARIES.sub("_", _SEPARATORS.sub("_", name)).upper()
