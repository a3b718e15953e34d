"""The command `mcpp` as a process of its own, as a user or a script runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final, NamedTuple

from tests.acceptance.warm import WarmPopen

COMMAND = (sys.executable, "-m", "mcpp")

_PATIENCE: Final = 60.0


class Ended(NamedTuple):
    code: int
    out: str
    err: str


def clean_environment(**variables: str) -> dict[str, str]:
    """The environment without settings of MCPP, in a locale and a time zone that don't depend on the machine."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("MCPP_")}
    return kept | {"TZ": "UTC", "PYTHONWARNINGS": "error"} | variables


class Mcpp:
    """Runs commands in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def __call__(self, *arguments: str, stdin: str | bytes = "", **variables: str) -> Ended:
        with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
            given.write(stdin.encode() if isinstance(stdin, str) else stdin)
            given.seek(0)
            code = self._run(arguments, clean_environment(**variables), given, out, err)
            for written in (out, err):
                written.seek(0)
            ended = Ended(code, out.read().decode(), err.read().decode())
        assert "Traceback" not in ended.err, ended.err
        return ended

    def _run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        given: IO[bytes],
        out: IO[bytes],
        err: IO[bytes],
    ) -> int:
        if "PYTHONIOENCODING" in environment:  # it's read at the interpreter's start
            return subprocess.run(
                [*COMMAND, *arguments],
                cwd=self.directory,
                env=environment,
                stdin=given,
                stdout=out,
                stderr=err,
                timeout=_PATIENCE,
                check=False,
            ).returncode
        process = WarmPopen(arguments, environment, output=out, errors=err, given=given, directory=self.directory)
        try:
            return process.wait(_PATIENCE)
        finally:
            process.kill()
