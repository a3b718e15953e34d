"""Why the program can't start, worded for whoever started it."""

from __future__ import annotations

from typing import Final

MISUSE: Final = 2
"""Exit code for wrong use, a bad setting or a database that a person must mend."""

TRY_AGAIN: Final = 75
"""Exit code for what passes by itself, such as a full disk or a lock: EX_TEMPFAIL of sysexits.h."""


def needs_extra(extra: str) -> str:
    """The rest of a sentence that begins with what can't be had, for a package that an extra brings."""
    return f"needs the extra {extra}: pip install 'mcpp-csms[{extra}]', or make run EXTRAS={extra}"


class StartError(Exception):
    """The server or a command can't start. Each line says what is wrong and how to mend it; no traceback is shown."""

    def __init__(self, *lines: str, passes: bool = False) -> None:
        """`passes`: another try may succeed though nobody mends anything."""
        super().__init__("\n".join(lines))
        self.lines = lines
        self.exit_code = TRY_AGAIN if passes else MISUSE
