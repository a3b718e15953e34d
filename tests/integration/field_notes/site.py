"""The whole central system in the test's own process: real sockets, a database file, a log file, the HTTP side."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
from prometheus_client.parser import text_string_to_metric_families
from pydantic import JsonValue

from mcpp.clock import Clock
from mcpp.server.listeners import Listeners, open_http, open_ocpp
from mcpp.server.parts import CoreParts, build_core, build_plugins, enabled_plugins, open_storage
from mcpp.server.telemetry import build_telemetry
from mcpp.server.tls import open_tls
from mcpp.settings import Settings
from mcpp.telemetry.logs.pipeline import logging_to
from mcpp.telemetry.logs.sink import LogSink
from tests.integration.field_notes.charger import PATIENCE, Answer, RawCharger, dialled

T = TypeVar("T")


async def until(check: Callable[[], Awaitable[T]]) -> T:
    """What `check` gives, as soon as that is true."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await check()
            if found:
                return found
            await asyncio.sleep(0.005)


@dataclass
class Central:
    """A running central system, and what a user can see of it."""

    ocpp_port: int
    http: httpx.AsyncClient
    database: Path
    log: Path
    core: CoreParts

    @property
    def ocpp_url(self) -> str:
        return f"ws://127.0.0.1:{self.ocpp_port}/ocpp"

    def dial(
        self,
        identity: str = "CP-1",
        answers: Mapping[str, Answer] | None = None,
        subprotocols: Sequence[str] = ("ocpp1.6",),
    ) -> AbstractAsyncContextManager[RawCharger]:
        return dialled(self.ocpp_url, identity, answers or {}, subprotocols)

    async def get(self, path: str, **parameters: str) -> Any:
        """A JSON answer of the API below /api/v1, which must be 200."""
        response = await self.http.get(f"/api/v1/{path}", params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    async def items(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.get(path, limit="1000", **parameters))["items"]
        return items

    async def put(self, path: str, body: JsonValue) -> None:
        response = await self.http.put(f"/api/v1/{path}", json=body)
        assert response.is_success, response.text

    async def command(self, action: str, payload: JsonValue, identity: str = "CP-1") -> httpx.Response:
        return await self.http.post(f"/api/v1/charge-points/{identity}/commands/{action}", json=payload)

    async def accepted(self, action: str, payload: JsonValue, identity: str = "CP-1") -> dict[str, Any]:
        """The charger's answer to a command, which must have come."""
        response = await self.command(action, payload, identity)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()["response"]
        return answer

    async def transaction(self, transaction_id: int) -> dict[str, Any]:
        found: dict[str, Any] = await self.get(f"transactions/{transaction_id}")
        return found

    async def connector(self, identity: str = "CP-1", connector_id: int = 1) -> dict[str, Any]:
        point = await self.get(f"charge-points/{identity}")
        found: dict[str, Any] = next(c for c in point["connectors"] if c["connector_id"] == connector_id)
        return found

    async def samples(self, transaction_id: int) -> list[dict[str, Any]]:
        return await self.items(f"transactions/{transaction_id}/meter-values")

    async def values(self, transaction_id: int) -> list[str]:
        """The values of a transaction's samples, as sent."""
        return [sample["value"] for sample in await self.samples(transaction_id)]

    def idle_values(self, identity: str = "CP-1") -> list[str]:
        """The values filed with a charger's connectors, for which no transaction ran."""
        connection = sqlite3.connect(self.database)
        try:
            rows = connection.execute(
                "SELECT s.value FROM connector_samples AS s JOIN connectors AS c ON c.key = s.connector_key"
                " JOIN charge_points AS p ON p.key = c.charge_point_key WHERE p.identity = ?"
                " ORDER BY s.measured_at, s.position",
                (identity,),
            )
            return [value for (value,) in rows]
        finally:
            connection.close()

    async def unmatched(self, identity: str = "CP-1") -> list[dict[str, Any]]:
        return [item for item in await self.items("unmatched") if item["charge_point_id"] == identity]

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of the series that have these labels; 0 where there is none."""
        text = (await self.http.get("/metrics")).text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    async def deviations(self, action: str, **labels: str) -> float:
        """How often something was tolerated in that action's messages."""
        return await self.metric("mcpp_contract_deviations_total", action=action, **labels)

    async def logged(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first line of the log that fits, as soon as it is there."""

        async def look() -> dict[str, Any] | None:
            return next(filter(wanted, self.lines()), None)

        line = await until(look)
        assert line is not None
        return line

    def lines(self) -> list[dict[str, Any]]:
        """Those that are whole."""
        text = self.log.read_text()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


@asynccontextmanager
async def central_system(folder: Path, clock: Clock | None = None, /, **settings: str) -> AsyncIterator[Central]:
    """A central system of its own on free ports, with settings as flags give them, by a clock of the test's own."""
    database, log = folder / "mcpp.db", folder / "mcpp.log"
    fixed = {"database": str(database), "ocpp_host": "127.0.0.1", "ocpp_port": "0", "http_port": "0"}
    effective = Settings.load(fixed | {"durability": "normal", "log_payloads": "on"} | settings)
    with log.open("ab") as out:
        sink = LogSink(os.dup(out.fileno()), gather_seconds=0.001)
    with logging_to(
        sink, level=effective.log_level, log_format=effective.log_format, log_payloads=effective.log_payloads
    ) as lines:
        async with AsyncExitStack() as running:
            telemetry = build_telemetry(effective, lines, running, clock)
            storage = await open_storage(effective, telemetry, running)
            core = await build_core(effective, telemetry, storage, running)
            plugins = build_plugins(enabled_plugins(effective), telemetry, storage, core, running)
            listeners = Listeners()
            running.push_async_callback(listeners.stop)
            ocpp_port = await open_ocpp(effective, telemetry, core, listeners)
            http_port = await open_http(
                effective, telemetry, storage, core, plugins, None, listeners, open_tls(effective)
            )
            plugins.start()
            base = f"http://127.0.0.1:{http_port}"
            http = await running.enter_async_context(httpx.AsyncClient(base_url=base, timeout=30, trust_env=False))
            yield Central(ocpp_port, http, database, log, core)
