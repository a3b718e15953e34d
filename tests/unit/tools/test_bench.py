"""The benchmarks run and measure what they say; how long anything takes is nobody's business here."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mcpp.telemetry.logs.lines import LogFormat, LogLevel
from mcpp.telemetry.logs.pipeline import logging_to
from mcpp.telemetry.logs.sink import LogSink
from tools.bench.__main__ import main
from tools.bench.messages import Workload
from tools.bench.variants import Variant
from tools.bench.worker import Site

CHARGERS = 3
LABELS = {"action": "MeterValues", "direction": "in", "message_type": "call"}


@pytest.mark.parametrize(
    ("variant", "lines", "counted"),
    [(Variant.OFF, 0, None), (Variant.LINES, 12, None), (Variant.METRICS, 12, 6)],
)
async def test_a_variant_has_what_it_says(tmp_path: Path, variant: Variant, lines: int, counted: int | None) -> None:
    log = tmp_path / "log"
    sink = LogSink(os.open(log, os.O_WRONLY | os.O_CREAT))
    with logging_to(sink, level=LogLevel.INFO, log_format=LogFormat.JSON) as writer:
        async with Site.open(variant, tmp_path / "bench.db", CHARGERS, sink, writer) as site:
            block = await site.block(Workload.METER_VALUES, 2)
            in_metrics = site.metrics.registry.get_sample_value("mcpp_ocpp_messages_total", LABELS)
    assert block.messages == 2 * CHARGERS
    assert log.read_text("utf-8").count('"action":"MeterValues"') == lines
    assert in_metrics == counted


def test_every_variant_is_measured_with_every_workload(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = tmp_path / "figures.json"
    main(["telemetry", "--blocks", "1", "--messages", "30", "--chargers", str(CHARGERS), "--json", str(figures)])
    costs: list[dict[str, Any]] = json.loads(figures.read_text("utf-8"))
    assert [(cost["workload"], cost["variant"]) for cost in costs] == [(w, v) for w in Workload for v in Variant]
    for cost in costs:
        assert cost["microseconds"] > 0
        assert cost["lost_spans"] == 0
        if cost["variant"] == Variant.SPANS_100:
            # Of a message, its write transaction, its place in the session; the sessions' own beside them.
            assert cost["spans"] > 2
        elif cost["variant"] != Variant.SPANS_1:
            assert cost["spans"] == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(costs)


def test_scrapes_are_measured_beside_steady_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = tmp_path / "figures.json"
    small = ["--chargers", "3", "--connected", "2", "--limit", "2", "--rate", "20", "--json", str(figures)]
    main(["scrape", *small, "--seconds", "1", "--interval", "0.5", "--windows", "1"])
    found: dict[str, Any] = json.loads(figures.read_text("utf-8"))
    assert found["scrapes"] == 2
    assert found["series"] > 100
    assert [answers["messages"] for answers in found["answers"][:2]] == [20, 20]
    assert "3 chargers known, 2 connected, at most 2 with series" in capsys.readouterr().out
