"""Plugins from outside: installed, chosen, asked, and misbehaving, in the real server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from ocpp.routing import on
from ocpp.v16 import call, call_result
from ocpp.v16.enums import Action, RemoteStartStopStatus, ResetStatus

from tests.acceptance.charger import Charger, connected, connected_charger
from tests.acceptance.server import Server, running_server
from tests.acceptance.test_start_and_stop import serve

EXAMPLE = Path(__file__).parents[2] / "examples" / "energy-cap"

BOOT = call.BootNotification(charge_point_model="M", charge_point_vendor="V")


class Obedient(Charger):
    """Does what it's told, and keeps count."""

    stops: list[int]
    resets: int

    @on(Action.remote_stop_transaction)  # type: ignore[no-untyped-call,untyped-decorator]  # the package has no types
    def stop(self, transaction_id: int) -> call_result.RemoteStopTransaction:
        self.stops.append(transaction_id)
        return call_result.RemoteStopTransaction(RemoteStartStopStatus.accepted)

    @on(Action.reset)  # type: ignore[no-untyped-call,untyped-decorator]  # the same
    def reset(self, **_: Any) -> call_result.Reset:
        self.resets += 1
        return call_result.Reset(ResetStatus.rejected)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def install_example(target: Path) -> None:
    """From its own pyproject, with pip, offline."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(target)]
    subprocess.run([*pip, *options, str(EXAMPLE)], check=True, timeout=120)


def module(folder: Path, text: str) -> dict[str, str]:
    """A plugin `site_logic:plugin` of this class body; gives the variables by which the server finds it."""
    header = "import asyncio, time\nfrom mcpp.plugins import *\n\nclass plugin:\n"
    (folder / "site_logic.py").write_text(header + text)
    return {"PYTHONPATH": str(folder)}


async def counted(server: Server, metric: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels."""
    async with httpx.AsyncClient(base_url=server.http_url) as client:
        scrape = (await client.get("/metrics")).text
    wanted = [f'{name}="{value}"' for name, value in labels.items()]
    return sum(
        float(line.rpartition(" ")[2])
        for line in scrape.splitlines()
        if line.startswith(f"{metric}{{") and all(label in line for label in wanted)
    )


async def count_reaches(server: Server, least: float, metric: str, **labels: str) -> None:
    async with asyncio.timeout(30):
        while await counted(server, metric, **labels) < least:
            await asyncio.sleep(0.02)


async def test_the_example_is_installed_from_its_own_project_and_ends_a_session(tmp_path: Path) -> None:
    install_example(tmp_path / "site")
    variables = {"PYTHONPATH": str(tmp_path / "site"), "MCPP_PLUGIN_ENERGY_CAP_WATT_HOURS": "5000"}
    flags = ("--plugins", "built-ins,energy_cap")
    async with (
        running_server(tmp_path / "mcpp.db", *flags, variables=variables) as server,
        connected(Obedient, server.ocpp_url, "CP-1") as charger,
    ):
        charger.stops = []
        await charger.ask(BOOT)
        started = await charger.ask(
            call.StartTransaction(connector_id=1, id_tag="T", meter_start=1000, timestamp=now())
        )
        for reading in ("3000", "6000", "7000"):
            sample = {"timestamp": now(), "sampledValue": [{"value": reading}]}
            await charger.ask(
                call.MeterValues(connector_id=1, transaction_id=started.transaction_id, meter_value=[sample])
            )
        line = await server.wait_for_line(lambda line: line["event"] == "energy_cap_reached")

    assert charger.stops == [started.transaction_id]
    assert (line["plugin"], line["accepted"], line["charge_point_id"]) == ("energy_cap", True, "CP-1")


def test_the_example_s_own_test_passes(tmp_path: Path) -> None:
    install_example(tmp_path / "site")
    environment = {"PYTHONPATH": str(tmp_path / "site"), "PYTHONDONTWRITEBYTECODE": "1"}
    test = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE / "test_energy_cap.py")]
    ran = subprocess.run(test, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("    @hookimpl\n    def charge_point_exploded(self): ...", "unknown hook 'charge_point_exploded'"),
        ("    @hookimpl\n    def server_started(self, colour): ...", "colour"),
        ("    def __init__(self):\n        raise OSError('no such lamp')", "no such lamp"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_stops_the_start(tmp_path: Path, text: str, reason: str) -> None:
    variables = module(tmp_path, text)
    flags = ("--plugins", "built-ins,site_logic:plugin", "--database", str(tmp_path / "mcpp.db"))
    ended = serve(*flags, **variables)

    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("plugin site_logic: ")
    assert reason in line
    assert not (tmp_path / "mcpp.db").exists()


def test_wrong_settings_of_plugins_stop_the_start() -> None:
    ended = serve("--plugins", "built-ins,nobody", MCPP_PLUGIN_OFFLINE_ALERT_AFTER="soon", MCPP_PLUGIN_LAMP_URL="x")

    assert ended.returncode == 2
    nobody, after, lamp = ended.stderr.splitlines()
    assert nobody.startswith("plugin nobody: there is none of that name; there are auto_start, ")
    assert after.startswith("plugin offline_alert: MCPP_PLUGIN_OFFLINE_ALERT_AFTER: Input should be a valid integer")
    assert lamp.startswith("MCPP_PLUGIN_LAMP_URL: there is no such plugin")


async def test_plugins_decide_and_answer(tmp_path: Path) -> None:
    variables = module(
        tmp_path,
        """
    @hookimpl
    async def authorize(self, question, site):
        if question.id_tag == "THIEF":
            return Authorization(AuthorizationStatus.BLOCKED, parent_id_tag="CREW")

    @hookimpl
    def data_transfer_received(self, question):
        if question.vendor_id == "V":
            return DataTransferAnswer(status=DataTransferStatus.ACCEPTED, data=question.data)
""",
    )
    async with (
        running_server(tmp_path / "mcpp.db", "--plugins", "site_logic:plugin", variables=variables) as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        await charger.ask(BOOT)
        assert (await charger.ask(call.Authorize("T"))).id_tag_info == {"status": "Accepted"}
        blocked = {"status": "Blocked", "parentIdTag": "CREW"}
        answer = await charger.ask(call.Authorize("THIEF"))
        assert {_camel(name): value for name, value in answer.id_tag_info.items()} == blocked
        started = await charger.ask(
            call.StartTransaction(connector_id=1, id_tag="THIEF", meter_start=0, timestamp=now())
        )
        assert started.id_tag_info["status"] == "Blocked"
        # It may be charging already, so the books have it.
        assert (await server.get(f"/api/v1/transactions/{started.transaction_id}"))["stopped_at"] is None

        answered = await charger.ask(call.DataTransfer(vendor_id="V", data="7"))
        assert (answered.status, answered.data) == ("Accepted", "7")
        assert (await charger.ask(call.DataTransfer(vendor_id="W"))).status == "UnknownVendorId"


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.title, rest))


async def test_every_command_s_end_is_told_whoever_sent_it(tmp_path: Path) -> None:
    variables = module(
        tmp_path,
        """
    @hookimpl
    async def charge_point_booted(self, event, site):
        await site.send(event.charge_point_id, "Reset", {"type": "Soft"})

    @hookimpl
    def command_finished(self, event, site):
        site.log.info("finished", action=event.action, outcome=event.outcome, status=event.status,
                      error_code=event.error_code, cause=event.correlation_id)
""",
    )
    async with (
        running_server(tmp_path / "mcpp.db", "--plugins", "site_logic:plugin", variables=variables) as server,
        connected(Obedient, server.ocpp_url, "CP-1") as charger,
    ):
        charger.resets = 0
        await charger.ask(BOOT)
        by_plugin = await server.wait_for_line(lambda line: line["event"] == "finished")
        booted = await server.wait_for_line(lambda line: line["event"] == "charge_point_booted")
        async with httpx.AsyncClient(base_url=server.http_url) as client:
            refused = await client.post("/api/v1/charge-points/CP-1/commands/ClearCache", json={})
        by_api = await server.wait_for_line(lambda line: line.get("outcome") == "refused")

    assert refused.status_code == 502
    assert (by_plugin["action"], by_plugin["outcome"], by_plugin["status"]) == ("Reset", "answered", "Rejected")
    assert by_plugin["cause"] == booted["correlation_id"]
    assert (by_api["action"], by_api["error_code"]) == ("ClearCache", "NotImplemented")


MISBEHAVIOUR = {
    "raises": "async def event_published(self, event):\n        raise RuntimeError('always')",
    "hangs": "async def event_published(self, event):\n        await asyncio.Event().wait()",
    "blocks": "def event_published(self, event):\n        time.sleep(1e6)",
    "blocks in a thread": "async def event_published(self, event):\n        await asyncio.to_thread(time.sleep, 1e6)",
    "blocks at the start": "async def server_started(self):\n        time.sleep(1e6)",
    "leaks": "async def event_published(self, event):\n"
    "        self.kept = [*getattr(self, 'kept', ()), asyncio.ensure_future(asyncio.Event().wait())]",
    "floods": "async def charge_point_booted(self, event, site):\n"
    "        async def flood():\n"
    "            while True:\n"
    "                try:\n"
    "                    await site.send(event.charge_point_id, 'Reset', {'type': 'Soft'})\n"
    "                except CommandError:\n"
    "                    pass\n"
    "        self.kept = [asyncio.ensure_future(flood()) for _ in range(1000)]",
    "publishes": "def server_started(self, site):\n"
    "        def publish():\n"
    "            while True:\n"
    "                try:\n"
    "                    site.publish(HeartbeatReceived(charge_point_id='X', correlation_id='c', at=site.now()))\n"
    "                except Exception:\n"
    "                    time.sleep(0.001)\n"
    "        import threading\n"
    "        threading.Thread(target=publish, daemon=True).start()",
}


@pytest.mark.parametrize("fault", MISBEHAVIOUR)
async def test_chargers_are_answered_whatever_a_plugin_does_and_the_server_ends_in_time(
    tmp_path: Path, fault: str
) -> None:
    variables = module(tmp_path, f"    @hookimpl\n    {MISBEHAVIOUR[fault]}\n")
    flags = ("--plugins", "built-ins,site_logic:plugin")
    async with running_server(tmp_path / "mcpp.db", *flags, variables=variables) as server:
        async with connected(Obedient, server.ocpp_url, "CP-1") as charger:
            charger.resets = 0
            await charger.ask(BOOT)
            started = await charger.ask(
                call.StartTransaction(connector_id=1, id_tag="T", meter_start=0, timestamp=now())
            )
            for _ in range(200):
                await charger.ask(call.Heartbeat())
            await charger.ask(
                call.StopTransaction(transaction_id=started.transaction_id, meter_stop=9, timestamp=now())
            )
            stored = await server.get(f"/api/v1/transactions/{started.transaction_id}")
            assert stored["energy_wh"] == 9
            # Built-in plugins go on.
            await count_reaches(server, 1, "mcpp_plugin_duration_seconds_count", plugin="auto_start")
            if fault == "raises":
                await count_reaches(server, 200, "mcpp_plugin_errors_total", plugin="site_logic")
                failed = await server.wait_for_line(lambda line: line["event"] == "plugin_failed")
                assert (failed["plugin"], failed["error"]) == ("site_logic", "RuntimeError: always")
            if fault == "floods":
                async with httpx.AsyncClient(base_url=server.http_url) as client:
                    answer = await client.post("/api/v1/charge-points/CP-1/commands/Reset", json={"type": "Soft"})
                assert answer.status_code == 200
        assert await server.terminate() == 0
