"""The lines of an exchange are the same however they are made: as text, or as dicts on their way to JSON."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mcpp.ocppj.flow import Direction, Flow, Peer
from mcpp.telemetry.logs.lines import LineWriter, LogLevel, render_json
from mcpp.telemetry.logs.message_lines import MessageLines
from mcpp.telemetry.logs.sink import LogSink
from tests.examples import examples

# Half a surrogate pair can't be JSON; a charger can still spell one.
TEXTS = st.text(st.characters(exclude_categories=()))
IDS = st.from_regex("[0-9a-f]{32}", fullmatch=True)
# A CALL with more than 64 bits gets a CALLERROR, whose lines are always dicts.
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
NUMBERS = st.one_of(st.none(), INT64)
SIZES = st.integers(0, 1 << 32)

FLOWS = st.builds(
    Flow,
    peer=st.builds(Peer, INT64, TEXTS),
    direction=st.just(Direction.IN),
    action=TEXTS,
    message_id=TEXTS,
    correlation_id=IDS,
    started=st.just(0.0),
    size_bytes=SIZES,
    connector_id=NUMBERS,
    transaction_id=NUMBERS,
    session_correlation_id=st.one_of(st.none(), IDS),
    span_id=st.one_of(st.just(0), st.integers(1, (1 << 64) - 1)),
)

PLAIN = Flow(Peer(1, "CP-1"), Direction.IN, "Heartbeat", "m1", "c" * 32, 0.0, 33)


def lines_of(*exchanges: tuple[Flow, int, float], as_text: bool) -> list[list[tuple[str, object]]]:
    """The fields of the lines in their order. Whoever wants payloads gets dicts; these flows have none to show."""
    with tempfile.TemporaryFile() as file:
        sink = LogSink(file.fileno(), gather_seconds=0)
        writer = LineWriter(sink, render_json, LogLevel.INFO, log_payloads=not as_text)
        assert writer.takes_text is as_text
        with patch("time.time", return_value=1_767_225_600.000_4):
            for flow, size, seconds in exchanges:
                MessageLines(writer).exchange(flow, size, b"", seconds)
        sink.close()
        file.seek(0)
        return [json.loads(line, object_pairs_hook=list) for line in file.read().splitlines()]


@examples(times=0.5)  # each starts two threads
@given(st.lists(st.tuples(FLOWS, SIZES, st.floats(0, 1e9)), min_size=1))
@example([(PLAIN, 9, 0.0), (PLAIN, 9, 0.0005), (PLAIN, 9, 1.0)])
def test_text_says_what_dicts_say_in_the_same_order(exchanges: list[tuple[Flow, int, float]]) -> None:
    lines = lines_of(*exchanges, as_text=True)

    assert lines == lines_of(*exchanges, as_text=False)
    assert [dict(line)["message_type"] for line in lines] == ["call", "call_result"] * len(exchanges)


@pytest.mark.parametrize(
    ("seconds", "came_in"), [(0.0003, "00:00:00.000Z"), (0.0005, "23:59:59.999Z"), (3600.0, "23:00:00.000Z")]
)
def test_a_line_has_its_own_time(seconds: float, came_in: str) -> None:
    call, answer = lines_of((PLAIN, 9, seconds), as_text=True)

    assert str(dict(call)["timestamp"]).endswith(came_in)
    assert dict(answer)["timestamp"] == "2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize("as_text", [True, False])
def test_an_id_that_is_longer_than_a_field_is_cut(as_text: bool) -> None:
    ((incoming, _),) = [lines_of((replace(PLAIN, message_id="i" * 900_000), 3, 0.0), as_text=as_text)]

    assert dict(incoming)["message_id"] == "i" * 1021 + "…"
