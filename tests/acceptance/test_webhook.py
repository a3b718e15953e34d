"""Webhooks of the real server: a charger we didn't write charges, and a receiver hears of it."""

from __future__ import annotations

from pathlib import Path

from ocpp.v16 import call
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus

from tests.acceptance.charger import Charger, connected_charger
from tests.acceptance.server import running_server
from tests.integration.plugins.http_receiver import OK, answer, hang, listening

SECRET = "a secret that both sides know"


def variables(url: str, **more: str) -> dict[str, str]:
    prefix = "MCPP_PLUGIN_WEBHOOK_"
    return {f"{prefix}URLS": url, f"{prefix}SECRET": SECRET} | {f"{prefix}{name}": more[name] for name in more}


async def charge(charger: Charger) -> int:
    """A whole session; gives its transaction's id."""
    await charger.ask(call.BootNotification(charge_point_model="Wall", charge_point_vendor="Acme"))
    start = call.StartTransaction(connector_id=1, id_tag="TAG-1", meter_start=1000, timestamp="2026-03-01T08:00:00Z")
    started = await charger.ask(start)
    await charger.ask(
        call.StopTransaction(
            meter_stop=8000, timestamp="2026-03-01T09:00:00Z", transaction_id=started.transaction_id, id_tag="TAG-1"
        )
    )
    transaction_id = started.transaction_id
    assert isinstance(transaction_id, int)
    return transaction_id


async def test_a_receiver_that_fails_at_first_hears_of_a_session_in_order(tmp_path: Path) -> None:
    wanted = "charge_point_booted,transaction_started,transaction_stopped"
    async with (
        listening(answer(500), OK) as receiver,
        running_server(tmp_path / "mcpp.db", variables=variables(receiver.url, EVENTS=wanted)) as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        transaction_id = await charge(charger)
        posted = await receiver.wait_for(4)
    assert [one.facts["event"] for one in posted] == [
        "charge_point_booted",
        "charge_point_booted",
        "transaction_started",
        "transaction_stopped",
    ]
    stopped = posted[-1].facts
    assert (stopped["transaction_id"], stopped["energy_wh"]) == (transaction_id, 7000)


async def test_what_happened_just_before_the_end_is_still_posted(tmp_path: Path) -> None:
    async with (
        listening() as receiver,
        running_server(tmp_path / "mcpp.db", variables=variables(receiver.url)) as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        await charge(charger)
        assert await server.terminate() == 0
    assert [one.facts["event"] for one in receiver.posted] == [
        "charge_point_connected",
        "charge_point_booted",
        "transaction_started",
        "transaction_stopped",
        "charge_point_disconnected",
    ]


async def test_a_receiver_that_hangs_holds_up_neither_chargers_nor_the_end(tmp_path: Path) -> None:
    async with listening(hang) as receiver:
        settings = variables(receiver.url, TIMEOUT="60", QUEUE_LIMIT="2")
        async with (
            running_server(tmp_path / "mcpp.db", variables=settings) as server,
            connected_charger(server.ocpp_url, "CP-1") as charger,
        ):
            await charge(charger)
            for status in (ChargePointStatus.available, ChargePointStatus.preparing) * 20:
                await charger.ask(
                    call.StatusNotification(connector_id=1, error_code=ChargePointErrorCode.no_error, status=status)
                )
            await receiver.wait_for(1)
            assert await server.terminate() == 0
    full = [line for line in server.lines if line["event"] == "webhook_queue_full"]
    assert [line["receiver"] for line in full] == [receiver.url.removesuffix("/hook")]
    assert [line for line in server.lines if line["event"] == "webhook_events_lost"]
