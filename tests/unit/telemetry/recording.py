"""Log lines as a reader of the process's output would get them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcpp.telemetry.logs.lines import LineWriter, LogFormat, LogLevel
from mcpp.telemetry.logs.pipeline import logging_to
from mcpp.telemetry.logs.sink import LogSink


class Recording:
    """The file that a test's lines went to; to be read once the block has ended."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def at(
        self, level: LogLevel = LogLevel.INFO, log_format: LogFormat = LogFormat.JSON, *, colors: bool = False
    ) -> Iterator[LineWriter]:
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            with logging_to(LogSink(fd), level=level, log_format=log_format, colors=colors) as lines:
                yield lines
        finally:
            os.close(fd)

    def text(self) -> str:
        return self.path.read_text()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]

    def line(self) -> dict[str, Any]:
        (line,) = self.lines()
        return line
