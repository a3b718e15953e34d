"""Runs the real sqlc with this plugin, then lets ruff tidy and format what it wrote."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.sqlc_plugin.render import MODULES

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "queries" / "sqlc.yaml"
OUTPUT = ROOT / "generated" / "mcpp_generated" / "db"

_PROGRAMS = Path(sys.executable).parent
_TIDY = ("check", "--fix", "--select=F401,I", "--config=lint.isort.split-on-trailing-comma=false")
_FORMAT = ("format",)


def generate(config: Path = CONFIG, output: Path = OUTPUT) -> int:
    """Writes the package into `output`, which the config must name, too. Returns an exit code, 0 for success.

    What sqlc or the plugin has against the queries goes to standard error as it is, and `output` stays as it was.
    """
    if complaints := _beyond_ascii(config.parent):
        print(*complaints, sep="\n", file=sys.stderr)
        return 1
    path = os.pathsep.join([str(_PROGRAMS), str(ROOT / "tools"), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    sqlc = [str(_PROGRAMS / "sqlc"), "generate", "--file", config.name]
    code = subprocess.run(sqlc, cwd=config.parent, env=environment, check=False).returncode
    if code == 0:
        _remove_stale(output)
        _tidy(output)
    return code


def _beyond_ascii(queries: Path) -> list[str]:
    """Non-ASCII text in the queries: sqlc takes characters for bytes, and so garbles every query behind it."""
    return [
        f"{file.name}:{number}: sqlc garbles queries behind a character that isn't ASCII: {line.strip()}"
        for file in sorted(queries.rglob("*.sql"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if not line.isascii()
    ]


def _remove_stale(output: Path) -> None:
    for file in output.rglob("*.py"):
        if file.relative_to(output).as_posix() not in MODULES:
            file.unlink()


def _tidy(output: Path) -> None:
    for command in (_TIDY, _FORMAT):
        options = ("--isolated", "--no-cache", "--quiet", "--line-length=120", "--target-version=py311")
        subprocess.run([str(_PROGRAMS / "ruff"), *command, *options, str(output)], check=True)
