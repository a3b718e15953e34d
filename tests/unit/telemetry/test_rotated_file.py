"""The log in a file: bounded, for its owner, and alive whatever is done to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mcpp.telemetry.logs.lines import LogFormat, LogLevel
from mcpp.telemetry.logs.pipeline import get_logger, logging_to
from mcpp.telemetry.logs.rotated_file import RotatedFile, rotated_files
from mcpp.telemetry.logs.sink import LogSink


class Said(list[str]):
    def __call__(self, event: str, reason: str) -> None:
        self.append(event)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "mcpp.log"


def test_its_size_and_the_number_of_older_ones_are_bounded(log: Path) -> None:
    said = Said()
    file = RotatedFile(log, size=1000, count=3, say=said)
    for number in range(500):
        line = f'{{"number": {number}}}\n'.encode()
        assert file.write_all(line) == len(line)

    kept = rotated_files(log)
    assert [path.name for path in kept] == ["mcpp.log", "mcpp.log.1", "mcpp.log.2", "mcpp.log.3"]
    assert sorted(path.name for path in log.parent.iterdir()) == sorted(path.name for path in kept)
    assert all(path.stat().st_size <= 1000 for path in kept)
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in kept)
    numbers = [json.loads(line)["number"] for path in reversed(kept) for line in path.read_text().splitlines()]
    assert numbers == list(range(numbers[0], 500))
    assert said == []


def test_without_older_ones_it_begins_anew(log: Path) -> None:
    file = RotatedFile(log, size=100, count=0, say=Said())
    for _ in range(50):
        file.write_all(b"0123456789\n")
    assert [path.name for path in log.parent.iterdir()] == ["mcpp.log"]
    assert 0 < log.stat().st_size <= 100


def test_it_goes_on_behind_what_was_there(log: Path) -> None:
    log.write_bytes(b"before\n")
    RotatedFile(log, size=1000, count=1, say=Said()).write_all(b"after\n")
    assert log.read_bytes() == b"before\nafter\n"


def test_a_file_that_is_moved_or_removed_is_begun_anew_and_that_is_said(log: Path) -> None:
    said = Said()
    file = RotatedFile(log, size=1000, count=1, say=said)
    file.write_all(b"1\n")
    log.rename(log.with_suffix(".moved"))
    file.write_all(b"2\n")
    log.unlink()
    file.write_all(b"3\n")
    assert log.read_bytes() == b"3\n"
    assert said == ["log_file_replaced"] * 2


def test_a_full_disk_is_said_once_and_survived(log: Path) -> None:
    said = Said()
    log.symlink_to("/dev/full")
    file = RotatedFile(log, size=1000, count=1, say=said)
    assert [file.write_all(b"1\n"), file.write_all(b"2\n")] == [0, 0]
    assert said == ["log_file_failed"]
    log.unlink()
    assert file.write_all(b"3\n") == 2
    assert said == ["log_file_failed", "log_file_replaced", "log_file_works_again"]


def test_a_directory_that_is_gone_is_survived(log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    said = Said()
    file = RotatedFile(folder / "mcpp.log", size=1000, count=1, say=said)
    (folder / "mcpp.log").unlink()
    folder.rmdir()
    assert file.write_all(b"1\n") == 0
    folder.mkdir()
    assert file.write_all(b"2\n") == 2
    assert said == ["log_file_replaced", "log_file_failed", "log_file_works_again"]


def test_beside_a_console_the_file_has_json_with_secrets_masked_and_counts_what_is_lost(log: Path) -> None:
    console = log.with_suffix(".console")
    file = RotatedFile(log, size=1 << 20, count=1, say=Said())
    with console.open("wb") as out:
        sink = LogSink(out.fileno(), gather_seconds=0)
        file_sink = LogSink(write_all=file.write_all, limit_bytes=4096)
        with logging_to(sink, level=LogLevel.INFO, log_format=LogFormat.CONSOLE, file=file_sink) as lines:
            get_logger().info("something", category="system", password="hunter2", url="wss://u:hunter2@host/")
            # More at once than may wait: what doesn't fit is lost and said.
            for number in range(200):
                get_logger().info("flood", category="system", number=number)
    written = [json.loads(line) for line in log.read_text().splitlines()]
    assert written[0]["event"] == "something"
    assert "hunter2" not in log.read_text() + console.read_text()
    assert console.read_text().count("flood") == 200
    lost = sum(line["count"] for line in written if line["event"] == "log_lines_dropped")
    assert lines.dropped == lost > 0
    assert sum(line["event"] == "flood" for line in written) == 200 - lost
