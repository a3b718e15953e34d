"""The forms that a log comes in."""

from __future__ import annotations

import gzip

import pytest

from mcpp.story.log_files import LogCoverage, NotJsonLines
from tests.unit.story.charged import Charged, as_text, log_files, whats


def test_rotated_and_compressed(charged: Charged) -> None:
    charged.charge()
    whole = as_text(charged.story())
    text = charged.log.text().encode()
    cut = text.index(b"\n", len(text) // 2) + 1

    rotated = charged.story(text[cut:], gzip.compress(text[:cut]))

    assert as_text(rotated) == whole


def test_lines_that_are_no_json_or_cut_short_are_skipped_and_counted(charged: Charged) -> None:
    charged.charge()
    session = charged.log.session
    junk = f'Traceback\n\n{{"session_correlation_id":"{session}",}}\n{{"timestamp":"2026-05-01T13:00:01.0'

    damaged = charged.story(charged.log.text() + junk)

    assert whats(damaged) == whats(charged.story())
    assert damaged.log is not None
    assert damaged.log.skipped == 3
    assert as_text(damaged).endswith("Skipped 3 lines that are no JSON, or cut short.\n")


def test_lines_as_journalctl_and_compose_have_them(charged: Charged) -> None:
    charged.charge()
    prefixed = "".join(f"mcpp-1  | {line}\n" for line in charged.log.text().splitlines())

    assert as_text(charged.story(prefixed)) == as_text(charged.story())


def test_cut_off_in_its_compressed_form(charged: Charged) -> None:
    charged.charge()
    packed = gzip.compress(charged.log.text().encode())

    cut = charged.story(packed[:-200])

    assert cut.log is not None
    assert cut.log.damaged == ["server.log.0"]
    assert as_text(cut).endswith("server.log.0 ends too early: its end is missing.\n")


def test_the_console_format_is_refused() -> None:
    (file,) = log_files("12:00:00.123 info  connection  charge_point_id=CP-1 {}\n" * 3)

    with pytest.raises(NotJsonLines, match=r"^server\.log\.0$"):
        list(file.blocks(LogCoverage()))
