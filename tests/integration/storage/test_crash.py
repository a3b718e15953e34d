"""What is left of a process that ended badly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mcpp.storage.sqlite.database import open_writer
from tests.unit.storage.pairs import stored_pairs

ROOT = Path(__file__).parents[3]


def acknowledging(path: Path, count: int) -> list[str]:
    return [sys.executable, "-m", "tests.integration.storage.acknowledge", str(path), str(count)]


def test_what_was_acknowledged_before_kill_9_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "mcpp.db"
    with subprocess.Popen(acknowledging(path, 0), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(500)]
        process.kill()
        acknowledged += [int(line) for line in process.stdout if line.endswith("\n")]
    assert process.returncode == -9

    open_writer(path).close()  # neither a stale lock nor a damaged file
    assert set(acknowledged) <= set(stored_pairs(path))


def test_a_process_that_forgets_to_close_the_writer_ends_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "mcpp.db"
    process = subprocess.run(
        acknowledging(path, 20), cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=30, check=True
    )
    assert sorted(int(line) for line in process.stdout.splitlines()) == stored_pairs(path) == list(range(20))
