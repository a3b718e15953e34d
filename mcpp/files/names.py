"""Names of files: what an operator may call one, and what becomes of what a charger calls one."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 128
_NAME: Final = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9._-]{{0,{_LONGEST - 1}}}")
_OTHER: Final = re.compile(r"[^A-Za-z0-9._-]+")

UNNAMED: Final = "upload"
"""What a charger gave no name."""


class BadName(ValueError):
    """A file can't be called so."""


def check_name(name: str) -> str:
    """The name, which goes into URLs as it is. Raises BadName."""
    if not _NAME.fullmatch(name):
        raise BadName(f"a name has 1 to {_LONGEST} letters, digits, dots, hyphens and underscores, the first no dot")
    return name


def tame(name: str) -> str:
    """A charger's name for a file without its folders and without what `check_name` refuses."""
    last = re.split(r"[/\\]", name)[-1]
    return _OTHER.sub("_", last).lstrip(".-")[-_LONGEST:].lstrip(".-") or UNNAMED
