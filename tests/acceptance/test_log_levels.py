"""What the log tells is changed while the server runs: over the API and by signals."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
from ocpp.v16 import call

from tests.acceptance.charger import Charger, connected_charger
from tests.acceptance.server import LogLine, Server, running_server


def is_change(line: LogLine) -> bool:
    return bool(line["event"] == "log_level_changed")


def messages(server: Server) -> list[LogLine]:
    return [line for line in server.lines if line["event"] == "ocpp_message"]


async def beat(charger: Charger) -> None:
    await charger.ask(call.Heartbeat())


async def test_payloads_and_level_by_the_api(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
        httpx.AsyncClient(base_url=f"{server.http_url}/api/v1", trust_env=False) as api,
    ):
        assert (await api.get("/logging")).json() == {"level": "info", "payloads": False}
        await beat(charger)

        changed = await api.put("/logging", json={"payloads": True})
        assert (changed.status_code, changed.json()) == (200, {"level": "info", "payloads": True})
        await beat(charger)

        assert (await api.put("/logging", json={"level": "error"})).json() == {"level": "error", "payloads": True}
        await beat(charger)

        assert (await api.put("/logging", json={"level": "debug", "payloads": False})).status_code == 200
        await beat(charger)
        assert (await api.get("/logging")).json() == {"level": "debug", "payloads": False}

    changes = [line for line in server.lines if is_change(line)]
    assert [(line["log_level"], line["log_payloads"]) for line in changes] == [
        ("info", True),
        ("error", True),
        ("debug", False),
    ]
    assert {line["changed_by"] for line in changes} == {"api"}
    assert ["payload" in line for line in messages(server)] == [False, False, True, True, False, False]


async def test_what_cannot_be_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    mistakes = ({"level": "verbose"}, {"level": 1}, {"payloads": "yes"}, {"payloads": True, "level": "INFO"}, {"x": 1})
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        httpx.AsyncClient(base_url=f"{server.http_url}/api/v1", trust_env=False) as api,
    ):
        for mistake in mistakes:
            refused = await api.put("/logging", json=mistake)
            assert (refused.status_code, refused.json()["code"]) == (422, "invalid_payload"), mistake
        assert (await api.get("/logging")).json() == {"level": "info", "payloads": False}


async def test_the_token_guards_it(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "mcpp.db", "--api-token", "t0ken") as server,
        httpx.AsyncClient(base_url=f"{server.http_url}/api/v1", trust_env=False) as api,
    ):
        assert (await api.get("/logging")).status_code == 401
        assert (await api.put("/logging", json={"payloads": True})).status_code == 401
        guarded = await api.put("/logging", json={"payloads": True}, headers={"Authorization": "Bearer t0ken"})
        assert guarded.json() == {"level": "info", "payloads": True}


async def test_signals_step_through_the_levels(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        server.process.send_signal(signal.SIGUSR2)
        line = await server.wait_for_line(is_change)
        assert (line["log_level"], line["changed_by"], line["level"]) == ("warning", "SIGUSR2", "warning")
        await beat(charger)

        server.process.send_signal(signal.SIGUSR1)
        await server.wait_for_line(lambda line: is_change(line) and line["log_level"] == "info")
        await beat(charger)
        await beat(charger)

    assert [line["message_type"] for line in messages(server)] == ["call", "call_result"] * 2
