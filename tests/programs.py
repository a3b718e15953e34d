"""Programs that aren't Python's: where they aren't installed a test is skipped, in CI it fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def program(name: str, package: str) -> str:
    """The path of a program, from this environment or the system's."""
    path = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if path is None:
        told = f"{name} is not installed (package {package})"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    return path


def make(*arguments: str) -> str:
    """What `make` prints in the repository."""
    # Where make runs the tests it has left its own flags and variables in the environment.
    its_own = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "ARGS")
    environment = {name: value for name, value in os.environ.items() if name not in its_own}
    command = [program("make", "make"), *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr == ""
    return done.stdout


def promtool(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """What Prometheus' own tool says."""
    path = program("promtool", "prometheus")
    return subprocess.run([path, *arguments], input=stdin, capture_output=True, timeout=30, check=False)
