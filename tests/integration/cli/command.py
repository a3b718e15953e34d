"""The command `mcpp` as a process of its own, as a user or a script runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

COMMAND = (sys.executable, "-m", "mcpp")


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
        run = subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.directory,
            env=clean_environment(**variables),
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )
        ended = Ended(run.returncode, run.stdout.decode(), run.stderr.decode())
        assert "Traceback" not in ended.err, ended.err
        return ended
