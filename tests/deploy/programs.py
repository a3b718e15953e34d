"""What the tests of deploy/ share: where it is, and what a command says of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

DEPLOY = Path(__file__).parents[2] / "deploy"


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """What a command says, standard error with standard output."""
    return subprocess.run(
        [*map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
