"""Why the program can't start, worded for whoever started it."""

from __future__ import annotations


class StartError(Exception):
    """The server or a command can't start. Each line says what is wrong and how to mend it; no traceback is shown.

    The process ends with exit code 2.
    """

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
