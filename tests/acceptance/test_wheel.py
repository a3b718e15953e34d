"""What is installed from the wheel is whole: generated code, migrations, typing marker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]


def test_the_wheel_carries_generated_code_and_migrations(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(tmp_path), str(ROOT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("mcpp_csms-*.whl")
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert {
        "mcpp/server/serve.py",
        "mcpp/py.typed",
        "mcpp/storage/sqlite/migrations/001_initial.up.sql",
        "mcpp_generated/db/queries.py",
        "mcpp_generated/ocpp16/models.py",
        "mcpp_generated/py.typed",
    } <= names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"mcpp", "mcpp_generated"}
