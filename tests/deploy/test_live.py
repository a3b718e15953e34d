"""deploy/ at work: a real Prometheus with its configuration scrapes a real server where everything happens."""

from __future__ import annotations

import asyncio
import re
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final, NamedTuple

import httpx
import pytest
import pytest_asyncio

from tests.acceptance.server import Server, running_server
from tests.deploy.boards import queries
from tests.deploy.busy_site import CHARGERS, CLUMSY, FLAGS, BusySite
from tests.deploy.prometheus import Prometheus, scraping, until
from tests.programs import program

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONSTANT: Final = ("mcpp_build_info", "mcpp_start_time_seconds")

METRICS: Final = (
    "mcpp_build_info",
    "mcpp_start_time_seconds",
    "mcpp_charge_points_connected",
    "mcpp_connections_total",
    "mcpp_ocpp_messages_total",
    "mcpp_ocpp_message_duration_seconds_count",
    "mcpp_ocpp_errors_total",
    "mcpp_contract_deviations_total",
    "mcpp_call_queue_depth",
    "mcpp_call_timeouts_total",
    "mcpp_database_write_duration_seconds_count",
    "mcpp_database_batch_size_sum",
    "mcpp_database_errors_total",
    "mcpp_database_size_bytes",
    "mcpp_plugin_duration_seconds_count",
    "mcpp_plugin_errors_total",
    "mcpp_charge_point_connected",
    "mcpp_charge_point_connected_since_seconds",
    "mcpp_charge_point_boots_total",
    "mcpp_charge_point_transactions_total",
    "mcpp_charge_point_transaction_seconds_total",
    "mcpp_charge_points_not_exported",
    "mcpp_log_lines_dropped_total",
    "mcpp_event_loop_lag_seconds_count",
    "mcpp_connector_status",
    "mcpp_connector_status_changes_total",
    "mcpp_connector_errors_total",
    "mcpp_transactions_active",
    "mcpp_transactions_total",
    "mcpp_transaction_duration_seconds_count",
    "mcpp_transaction_energy_watt_hours_count",
    "mcpp_connector_power_watts",
    "mcpp_connector_voltage_volts",
    "mcpp_connector_current_amperes",
    "mcpp_connector_peak_power_watts",
    "mcpp_connector_transaction_energy_watt_hours",
    "mcpp_charge_point_energy_watt_hours_total",
    # Beside the interface.
    "mcpp_database_wait_seconds_count",
    "mcpp_spans_total",
    "process_cpu_seconds_total",
)

EMPTY_HERE: Final = "mcpp_plugin_events_dropped_total"
"""It would take more than 10,000 events at once."""

VARIABLES: Final = {
    "$instance": ".+",
    "$charge_point": CHARGERS[0],
    "$__rate_interval": "10s",
    "$__interval": "10s",
    "$__range_s": "60",
    "$__range": "1m",
}


class Scraped(NamedTuple):
    server: Server
    prometheus: Prometheus


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scraped() -> AsyncIterator[Scraped]:
    async with AsyncExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        (folder / "clumsy.py").write_text(CLUMSY)
        database = folder / "mcpp.db"
        variables = {
            "PYTHONPATH": str(folder),
            "OTEL_EXPORTER_OTLP_ENDPOINT": running.enter_context(SpanSink()).url,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        server = await running.enter_async_context(running_server(database, *FLAGS, variables=variables, warm=False))
        prometheus = await running.enter_async_context(scraping(folder, server.http_port))
        # What counts from its first event on is seen at 0 before.
        await until(lambda: prometheus.instant("mcpp_build_info"), 20, lambda: "nothing was scraped")
        site = BusySite(server, database)
        async with site.at_work():
            await until(lambda: prometheus.instant("mcpp_transactions_total > 0"), 30, lambda: "no transaction ended")
            await _lose_the_log(server)
            yield Scraped(server, prometheus)


async def _lose_the_log(server: Server) -> None:
    """As if whatever reads it had crashed."""
    assert isinstance(server.process, asyncio.subprocess.Process)
    transport = server.process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]  # asyncio hides it
    transport.close()


class SpanSink:
    """Takes OTLP over HTTP and forgets it."""

    def __enter__(self) -> SpanSink:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Taker)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Taker(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's name
        """In silence."""


async def test_every_metric_is_there_and_moves(scraped: Scraped) -> None:
    missing = set(METRICS)

    async def all_move() -> bool:
        for name in sorted(missing):
            moved = f"{name} > 0" if name in CONSTANT else f"changes({name}[2m]) > 0"
            if await scraped.prometheus.instant(moved):
                missing.discard(name)
        return not missing

    await until(all_move, 60, lambda: f"don't move: {sorted(missing)}")


async def test_every_panel_has_data(scraped: Scraped) -> None:
    left = {query for query in queries() if query.datasource == "prometheus" and EMPTY_HERE not in query.text}
    assert len(left) > 60

    async def all_have() -> bool:
        for query in sorted(left):
            if await _has_data(scraped.prometheus, query.text):
                left.discard(query)
        return not left

    await until(all_have, 60, lambda: "\n".join(f"{q.dashboard}: {q.panel}: {q.text}" for q in sorted(left)))


async def _has_data(prometheus: Prometheus, text: str) -> bool:
    found = await prometheus.instant(filled(text))
    return any(series["value"][1] != "NaN" for series in found)


def filled(text: str) -> str:
    """As Grafana fills in its variables; longer names first, since some begin like others."""
    for name, value in VARIABLES.items():
        text = text.replace(name, value)
    # Of `label_replace`, $1 and the like stay.
    assert re.search(r"\$(?!\d)", text) is None
    return text


async def test_exemplars_are_stored_and_lead_to_log_lines(scraped: Scraped) -> None:
    asked = [filled(query.text) for query in queries() if query.exemplars]
    found: set[str] = set()

    async def each_panel_leads() -> bool:
        of_panels = [await _exemplars(scraped.prometheus, text) for text in asked]
        found.update(*of_panels)
        told = {line.get("correlation_id") for line in scraped.server.lines}  # which goes on
        return all(trace_ids & told for trace_ids in of_panels)

    assert asked
    await until(each_panel_leads, 90, lambda: f"{len(found)} exemplars, but some panels have none that is in the log")

    assert all(re.fullmatch("[0-9a-f]{32}", trace_id) for trace_id in found)


async def _exemplars(prometheus: Prometheus, expression: str) -> set[str]:
    series = await prometheus.ask("/query_exemplars", query=expression, start="0", end="9999999999")
    return {exemplar["labels"]["trace_id"] for one in series for exemplar in one["exemplars"]}


async def test_all_rules_are_evaluated_and_recorded(scraped: Scraped) -> None:
    async def evaluated() -> bool:
        return all(rule["health"] == "ok" for rule in await _rules(scraped.prometheus))

    await until(evaluated, 30, lambda: "rules fail")
    rules = await _rules(scraped.prometheus)
    recorded = {rule["name"] for rule in rules if rule["type"] == "recording"}
    missing = set(recorded)

    async def all_recorded() -> bool:
        for name in sorted(missing):
            if await scraped.prometheus.instant(name):
                missing.discard(name)
        return not missing

    assert len(rules) > 30
    await until(all_recorded, 60, lambda: f"not recorded: {sorted(missing)}")


async def _rules(prometheus: Prometheus) -> list[dict[str, str]]:
    groups = (await prometheus.ask("/rules"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


async def test_rules_and_panels_name_metrics_that_the_server_has(scraped: Scraped) -> None:
    """Most of all those that are quiet where nothing is wrong: a slip would never show."""
    async with httpx.AsyncClient(base_url=scraped.server.http_url) as client:
        text = (await client.get("/metrics")).text
    families = dict(re.findall("^# TYPE (\\S+) (\\S+)$", text, re.MULTILINE))
    there = {*families} | {f"{name}_{part}" for name in families for part in ("bucket", "sum", "count")}
    asked = {query.text for query in queries()} | {rule["query"] for rule in await _rules(scraped.prometheus)}
    named = {name for text in asked for name in re.findall(r"(?<![:\w])(?:mcpp|process)_\w+(?![:\w]|=)", text)}

    assert len(named) > 40
    assert named <= there


async def test_promtool_has_nothing_to_say_but_that_hours_are_no_base_unit(scraped: Scraped) -> None:
    async with httpx.AsyncClient(base_url=scraped.server.http_url) as client:
        text = (await client.get("/metrics")).text
    checked = await asyncio.to_thread(
        subprocess.run,
        [program("promtool", "prometheus"), "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        timeout=30,
    )
    hints = [line for line in (checked.stdout + checked.stderr).splitlines() if "hours" not in line]

    assert hints == []
