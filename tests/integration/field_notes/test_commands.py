"""What real chargers make of commands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.field_notes.charger import PATIENCE, RawCharger, minute, silent
from tests.integration.field_notes.site import Central, central_system, until

START = "RemoteStartTransaction"


@pytest.fixture
async def hasty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Central]:
    """A central system that starts by itself, and waits for little."""
    for name in ("RETRY_DELAY", "START_TIMEOUT", "SETTLE_TIME"):
        monkeypatch.setenv(f"MCPP_PLUGIN_AUTO_START_{name}", "0.05")
    async with central_system(tmp_path, auto_start="on") as running:
        yield running


async def test_one_call_at_a_time(tmp_path: Path) -> None:
    """connectorio-addons PR#210"""
    async with central_system(tmp_path, call_queue_limit="2") as central, central.dial() as charger:
        asked: list[str] = []
        more = asyncio.Condition()

        async def note(message_id: str) -> None:
            async with more:
                asked.append(message_id)
                more.notify_all()

        notes: set[asyncio.Task[None]] = set()

        def keep(message_id: str) -> None:
            notes.add(asyncio.create_task(note(message_id)))

        charger.answers["ClearCache"] = keep
        await charger.boot()
        commands = [asyncio.create_task(central.command("ClearCache", {})) for _ in range(4)]
        done, waiting = await asyncio.wait(commands, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)

        assert [command.result().status_code for command in done] == [429]
        for number in (1, 2, 3):
            async with asyncio.timeout(PATIENCE), more:
                await more.wait_for(lambda expected=number: len(asked) >= expected)  # type: ignore[misc]  # a default
            await charger.say("Heartbeat", {})  # a second one would be here by now
            assert len(asked) == number
            await charger.send(f'[3,"{asked[-1]}",{{"status":"Accepted"}}]')
        answers = await asyncio.gather(*waiting)
        assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_both_directions_at_once(central: Central, charger: RawCharger) -> None:
    """citrineos#178, #189"""
    charger.answers["ClearCache"] = silent
    await charger.boot()
    command = asyncio.create_task(central.command("ClearCache", {}))
    await charger.asked_for("ClearCache")

    started = await charger.start()
    await charger.stop(started)
    assert (await central.transaction(started))["energy_wh"] == 7000
    assert not command.done()
    command.cancel()


async def test_nothing_unasked_before_the_boot(hasty: Central) -> None:
    """steve#164, lbbrhzn/ocpp#1275, #1510"""
    async with hasty.dial(answers={START: {"status": "Accepted"}}) as charger:
        await charger.status("Preparing", minute(0))
        await charger.say("Heartbeat", {})
        plug_in = await hasty.connector()
        assert plug_in["status"] == "Preparing"
        assert charger.asked == []
        await charger.boot()
        await charger.asked_for(START)
        assert {action for action, _ in charger.asked} == {START}


async def test_a_remote_start_without_a_transaction(hasty: Central) -> None:
    """steve#796"""
    async with hasty.dial(answers={START: {"status": "Accepted"}}) as charger:
        await charger.boot()
        await charger.status("Preparing", minute(0))

        told = await hasty.logged(lambda line: line["event"] == "auto_start_given_up")
        assert (told["charge_point_id"], told["connector_id"], told["tries"]) == ("CP-1", 1, 3)
        assert charger.how_often(START) == 3


async def test_one_start_for_each_plug_in(hasty: Central) -> None:
    """evcc#15752, #33020, #14804"""
    async with hasty.dial(answers={START: {"status": "Accepted"}}) as charger:
        await charger.boot()

        async def plug_in(at: int, starts: int) -> None:
            for number in range(3):
                await charger.status("Preparing", minute(at + number / 10))
            await charger.asked_for(START, starts)
            started = await charger.start(minute(at + 1), tag="MCPP")
            await charger.status("Charging", minute(at + 1))
            await charger.stop(started, minute(at + 5), meter=1500)
            for status in ("Finishing", "Preparing", "Finishing", "Preparing"):
                await charger.status(status, minute(at + 6))
            await charger.status("Finishing", minute(at + 7))

        async def ended() -> list[dict[str, Any]]:
            return await hasty.items("transactions", open="false")

        await plug_in(0, 1)
        await charger.status("Available", minute(8))
        await plug_in(10, 2)
        await charger.status("Available", minute(18))

        assert len(await until(ended)) == 2
        assert charger.how_often(START) == 2
