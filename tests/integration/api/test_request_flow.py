"""Every request has one id, its caller's where that brings a trace: in its answer, lines and span, and what it does."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from mcpp.api.docs import assets
from mcpp.telemetry.logs.lines import LogLevel
from mcpp.telemetry.tracing.sampling import Sampling
from mcpp.telemetry.tracing.spans import Spans
from tests.integration.api.support import Site, site
from tests.unit.telemetry.recording import Recording

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
NOT_SAMPLED = {"traceparent": f"00-{TRACE}-{CALLER}-00"}

DEFAULT_ON, DEFAULT_OFF = Sampling(1, follows_callers=True), Sampling(0, follows_callers=True)
ALWAYS_ON, ALWAYS_OFF = Sampling(1, follows_callers=False), Sampling(0, follows_callers=False)

ID = re.compile("[0-9a-f]{32}")


class Observed:
    """A running HTTP side, with the spans that it has written; its log lines once it has stopped."""

    def __init__(self, recording: Recording) -> None:
        self.spans: list[ReadableSpan] = []
        self._recording = recording

    def lines(self, event: str = "http_request") -> list[dict[str, Any]]:
        return [line for line in self._recording.lines() if line["event"] == event]

    def line(self) -> dict[str, Any]:
        (line,) = self.lines()
        return line


class Watched:
    """Makes HTTP sides whose lines and spans are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @asynccontextmanager
    async def site(
        self,
        sampling: Sampling | None = ALWAYS_ON,
        *,
        level: LogLevel = LogLevel.INFO,
        api_token: str | None = None,
        with_files: bool = False,
    ) -> AsyncIterator[tuple[Site, Observed]]:
        """`sampling` is None for a server with tracing off."""
        recording = Recording(self._folder / "log")
        observed = Observed(recording)
        spans = None if sampling is None else Spans(sampling, Resource.get_empty(), observed.spans.append)
        with recording.at(level):
            async with site(self._folder, api_token=api_token, with_files=with_files, spans=spans) as running:
                yield running, observed


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def correlation_id(response: httpx.Response) -> str:
    (found,) = response.headers.get_list("x-correlation-id")
    assert ID.fullmatch(found), found
    return str(found)


async def test_a_callers_trace_goes_on(watched: Watched) -> None:
    async with watched.site() as (api, observed):
        transaction_id = api.books.ended()
        response = await api.http.get(f"/api/v1/transactions/{transaction_id}?secret=1", headers=SAMPLED)

    assert correlation_id(response) == TRACE
    (span,) = observed.spans
    assert span.context is not None
    assert span.parent is not None
    assert f"{span.context.trace_id:032x}" == f"{span.parent.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == CALLER
    assert (span.name, span.kind) == ("GET /api/v1/transactions/{transaction_id}", SpanKind.SERVER)
    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/api/v1/transactions/{transaction_id}",
        "url.path": f"/api/v1/transactions/{transaction_id}",
        "url.scheme": "http",
    }
    line = observed.line()
    assert line.pop("duration_ms") > 0
    assert line.pop("timestamp")
    assert line == {
        "level": "info",
        "event": "http_request",
        "category": "system",
        "correlation_id": TRACE,
        "trace_id": TRACE,
        "span_id": f"{span.context.span_id:016x}",
        "method": "GET",
        "path": f"/api/v1/transactions/{transaction_id}",
        "remote_address": "127.0.0.1",
        "status": 200,
    }


async def test_a_request_without_a_trace_begins_one(watched: Watched) -> None:
    async with watched.site() as (api, observed):
        first, second = await api.get("/api/v1/transactions"), await api.get("/api/v1/transactions")

    assert correlation_id(first) != correlation_id(second)
    assert [f"{span.context.trace_id:032x}" for span in observed.spans if span.context] == [
        correlation_id(first),
        correlation_id(second),
    ]
    assert [span.parent for span in observed.spans] == [None, None]


async def test_a_callers_trace_goes_on_where_tracing_is_off(watched: Watched) -> None:
    async with watched.site(None) as (api, observed):
        response = await api.http.get("/api/v1/transactions/7", headers=SAMPLED)

    assert response.json()["correlation_id"] == correlation_id(response) == TRACE
    line = observed.line()
    assert line["correlation_id"] == TRACE
    assert "trace_id" not in line


@pytest.mark.parametrize(
    ("sampling", "headers", "recorded"),
    [
        (DEFAULT_ON, SAMPLED, True),
        (DEFAULT_ON, NOT_SAMPLED, False),
        (DEFAULT_ON, {}, True),
        (DEFAULT_OFF, SAMPLED, True),
        (DEFAULT_OFF, {}, False),
        (ALWAYS_ON, NOT_SAMPLED, True),
        (ALWAYS_OFF, SAMPLED, False),
    ],
)
async def test_who_decides_what_is_recorded(
    watched: Watched, sampling: Sampling, headers: dict[str, str], recorded: bool
) -> None:
    async with watched.site(sampling) as (api, observed):
        response = await api.http.get("/api/v1/transactions", headers=headers)
        scrape = (await api.http.get("/metrics", headers={"Accept": "application/openmetrics-text"})).text

    assert bool(observed.spans) is recorded
    assert ("trace_id" in observed.line()) is recorded
    assert (f'# {{trace_id="{correlation_id(response)}"}}' in scrape) is recorded
    assert headers == {} or correlation_id(response) == TRACE


@pytest.mark.parametrize(
    "values",
    [
        [""],
        ["nonsense"],
        [f"00-{TRACE}-{CALLER}"],
        [f"00-{TRACE.upper()}-{CALLER}-01"],
        [f"00-{'0' * 32}-{CALLER}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"ff-{TRACE}-{CALLER}-01"],
        [f"00-{TRACE}-{CALLER}-01-more"],
        [f"00-{TRACE[:-1]}-{CALLER}-01"],
        [f"00-{TRACE}-{CALLER}-01", f"00-{TRACE}-{CALLER}-01"],
        ["00-" + "4" * 60_000],
    ],
)
async def test_a_trace_that_is_none_is_ignored(watched: Watched, values: Sequence[str]) -> None:
    async with watched.site() as (api, observed):
        response = await api.http.get("/healthz", headers=[("traceparent", value) for value in values])
        await api.http.get("/api/v1/reservations", headers=[("traceparent", value) for value in values])

    assert correlation_id(response) != TRACE
    assert [span.parent for span in observed.spans] == [None]


async def test_a_later_version_of_the_header_is_understood(watched: Watched) -> None:
    async with watched.site() as (api, _):
        response = await api.http.get("/healthz", headers={"traceparent": f"01-{TRACE}-{CALLER}-01-more"})

    assert correlation_id(response) == TRACE


async def test_every_problem_tells_its_id(watched: Watched) -> None:
    answers: list[httpx.Response] = []
    known = {"Authorization": "Bearer t0ken"}
    async with watched.site(api_token="t0ken") as (api, observed):
        api.books.charge_point("CP-1")
        for method, path, headers, body, status in [
            ("GET", "/api/v1/transactions", {}, b"", 401),
            ("GET", "/api/v1/transactions", {"Host": "evil.example"}, b"", 403),
            ("GET", "/api/v1/charge-points/CP%2F1", known, b"", 400),
            ("GET", "/nothing", {}, b"", 404),
            ("GET", "/docs/assets/nothing.js", {}, b"", 404),
            ("GET", "/api/v1/transactions/99", known, b"", 404),
            ("POST", "/api/v1/charge-points/CP-1/commands/Restart", known, b"{}", 404),
            ("PATCH", "/api/v1/transactions", known, b"", 405),
            ("POST", "/api/v1/charge-points/CP-1/commands/Reset", known, b'{"type":"Soft"}', 409),
            ("PUT", "/api/v1/id-tags/A", known, b" " * (1 << 20) + b"{}", 413),
            ("GET", "/api/v1/transactions?limit=0", known, b"", 422),
            ("PUT", "/api/v1/id-tags/A", known, b'{"status":"Perhaps"}', 422),
        ]:
            answers.append(await api.http.request(method, path, headers=headers, content=body))
            assert answers[-1].status_code == status, (path, answers[-1].text)
        api.books.connection.execute("DROP VIEW transaction_records")
        answers.append(await api.http.get("/api/v1/transactions/99", headers=known))
        assert answers[-1].status_code == 500

    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["correlation_id"] == correlation_id(answer)
    told = [correlation_id(answer) for answer in answers]
    assert len(set(told)) == len(told)
    assert [(line["correlation_id"], line["status"]) for line in observed.lines()] == [
        (correlation_id(answer), answer.status_code) for answer in answers
    ]
    assert [f"{span.context.trace_id:032x}" for span in observed.spans if span.context] == told


async def test_a_failure_is_found_by_its_id(watched: Watched) -> None:
    async with watched.site() as (api, observed):
        api.books.connection.execute("DROP VIEW transaction_records")
        response = await api.http.get("/api/v1/transactions/1", headers=SAMPLED)

    assert response.status_code == 500
    assert response.json()["correlation_id"] == TRACE
    (line,) = observed.lines()
    assert (line["level"], line["status"], line["correlation_id"]) == ("warning", 500, TRACE)
    (reason,) = (line for line in observed.lines("library_message") if line["logger"] == "uvicorn.error")
    assert "no such table" in reason["error"]
    assert (reason["correlation_id"], reason["span_id"]) == (TRACE, line["span_id"])
    (span,) = observed.spans
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "500"


async def test_every_answer_has_the_header(watched: Watched) -> None:
    async with watched.site(None, with_files=True) as (api, _):
        answers = [
            await api.get(path)
            for path in (
                "/healthz",
                "/readyz",
                "/metrics",
                "/openapi.json",
                "/docs",
                assets.address("swagger-ui.css"),
                "/api/v1/charge-points",
                "/api/v1/logging",
            )
        ]
        answers.append(await api.http.put("/api/v1/id-tags/A", json={"status": "Accepted"}))
        answers.append(await api.http.delete("/api/v1/id-tags/A"))
        answers.append(await api.http.get("/api/v1/transactions", headers={"Accept": "text/csv"}))
        async with api.http.stream("GET", "/api/v1/events") as stream:
            answers.append(stream)

    assert [answer.status_code for answer in answers] == [200] * 8 + [201, 204, 200, 200]
    assert len(set(map(correlation_id, answers))) == len(answers)


async def test_what_machines_ask_for_all_the_time_is_told_at_debug_only(watched: Watched) -> None:
    polled = ("/healthz", "/readyz", "/metrics")
    async with watched.site() as (api, observed):
        for path in polled:
            await api.http.get(path, headers=SAMPLED)
    assert observed.lines() == []
    async with watched.site(level=LogLevel.DEBUG) as (api, observed):
        for path in polled:
            await api.http.get(path, headers=SAMPLED)

    assert [(line["level"], line["path"]) for line in observed.lines()] == [("debug", path) for path in polled]
    assert observed.spans == []


async def test_what_a_request_changes_belongs_to_it(watched: Watched) -> None:
    async with watched.site(None) as (api, _):
        transaction_id = api.books.start()
        events = api.services.events.read()
        coming = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        closed = await api.http.post(f"/api/v1/transactions/{transaction_id}/close", headers=SAMPLED)
        async with asyncio.timeout(10):
            told = (await coming).decode()
            while told.startswith(":"):
                told = (await anext(events)).decode()

    assert closed.status_code == 200
    assert json.loads(told.partition("data: ")[2])["correlation_id"] == TRACE


async def test_requests_at_the_same_time_do_not_mix(watched: Watched) -> None:
    async with watched.site() as (api, observed):
        traces = {f"{number:032x}": f"{number + 7:016x}" for number in range(1, 101)}

        async def ask(trace_id: str, span_id: str) -> None:
            path = f"/api/v1/charge-points/{trace_id}"
            response = await api.http.get(path, headers={"traceparent": f"00-{trace_id}-{span_id}-01"})
            assert response.json()["correlation_id"] == correlation_id(response) == trace_id

        await asyncio.gather(*(ask(*ids) for ids in traces.items()))

    assert {line["correlation_id"]: line["path"] for line in observed.lines()} == {
        trace_id: f"/api/v1/charge-points/{trace_id}" for trace_id in traces
    }
    assert {
        f"{span.context.trace_id:032x}": f"{span.parent.span_id:016x}"
        for span in observed.spans
        if span.context and span.parent
    } == traces


async def test_a_stream_is_told_of_once_it_ends(watched: Watched) -> None:
    async with (
        watched.site() as (api, observed),
        api.http.stream("GET", "/api/v1/events", headers=SAMPLED) as stream,
        asyncio.timeout(10),
    ):
        lines = stream.aiter_lines()
        await anext(lines)
        assert correlation_id(stream) == TRACE
        assert observed.spans == []
        api.services.stop()
        assert [line async for line in lines if line.startswith("data")] == []

    (span,) = observed.spans
    assert span.name == "GET /api/v1/events"
    assert (observed.line()["path"], observed.line()["status"]) == ("/api/v1/events", 200)


async def test_a_client_that_leaves_ends_its_request(watched: Watched) -> None:
    async with watched.site() as (api, observed):
        api.books.charge_point("CP-1")
        api.connections.identities.add("CP-1")
        command = "/api/v1/charge-points/CP-1/commands/ClearCache"
        waiting = asyncio.ensure_future(api.http.post(command, headers=SAMPLED))
        async with asyncio.timeout(10):
            await api.connections.asked.wait()
            waiting.cancel()
            while not observed.spans:
                await asyncio.sleep(0)

    assert observed.line()["status"] == 499
    assert observed.spans[0].name == "POST /api/v1/charge-points/{id}/commands/ClearCache"


async def test_requests_are_counted_by_route(watched: Watched) -> None:
    async with watched.site(None) as (api, _):
        for path in ("/api/v1/charge-points/A", "/api/v1/charge-points/B", "/nothing", "/docs/assets/nothing.js"):
            await api.get(path)
        await api.http.request("PROPFIND", "/healthz")
        await api.http.post("/api/v1/charge-points/A/commands/Reset", content=b'{"type":"Soft"}')
        last = await api.get("/api/v1/charge-points")
        scrape = (await api.http.get("/metrics", headers={"Accept": "application/openmetrics-text"})).text

    counted = dict(re.findall(r"^mcpp_http_request_duration_seconds_count\{(.*)\} (.*)$", scrape, re.MULTILINE))
    assert counted == {
        'method="GET",route="/api/v1/charge-points/{id}",status="404"': "2.0",
        'method="GET",route="_OTHER",status="404"': "1.0",
        'method="GET",route="/docs/assets/{path}",status="404"': "1.0",
        'method="_OTHER",route="/healthz",status="405"': "1.0",
        'method="POST",route="/api/v1/charge-points/{id}/commands/Reset",status="404"': "1.0",
        'method="GET",route="/api/v1/charge-points",status="200"': "1.0",
    }
    assert f'# {{trace_id="{correlation_id(last)}"}}' in scrape


async def test_secrets_in_a_path_are_masked_and_long_paths_cut(watched: Watched) -> None:
    link = "s3cr3ts3cr3ts3cr3ts3cr3ts3cr3t00"
    async with watched.site() as (api, observed):
        await api.get(f"/uploads/{link}/password=hunter2")
        await api.get("/" + "x" * 5000)

    assert [line["path"] for line in observed.lines()] == ["/uploads/***/password=***", "/" + "x" * 1023]
    assert [(span.attributes or {})["url.path"] for span in observed.spans] == [
        line["path"] for line in observed.lines()
    ]
    assert [span.name for span in observed.spans] == ["GET", "GET"]


async def test_the_framework_makes_no_spans_of_its_own(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)  # may be set once by its own means
    async with watched.site() as (api, observed):
        await api.get("/api/v1/transactions")

    assert len(observed.spans) == 1
    assert exporter.get_finished_spans() == ()
