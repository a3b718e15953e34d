"""The main job, seen from outside: a charger we didn't write charges, is cut off, comes back and stops."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from ocpp.v16 import call
from ocpp.v16.datatypes import MeterValue, SampledValue
from ocpp.v16.enums import (
    ChargePointErrorCode,
    ChargePointStatus,
    Measurand,
    Phase,
    ReadingContext,
    Reason,
    UnitOfMeasure,
)

from tests.acceptance.charger import Charger, connected_charger
from tests.acceptance.server import running_server

BEGIN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
METER_START = 120_000
METER_STOP = 131_500


def spelled(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sampled(value: str, measurand: str, unit: str, context: str, phase: Phase | None = None) -> SampledValue:
    return SampledValue(
        value=value,
        context=ReadingContext(context),
        measurand=Measurand(measurand),
        unit=UnitOfMeasure(unit),
        phase=phase,
    )


def samples_at(step: int, context: str = "Sample.Periodic") -> list[SampledValue]:
    return [
        sampled(str(METER_START + 1_000 * step), "Energy.Active.Import.Register", "Wh", context),
        sampled("11000.5", "Power.Active.Import", "W", context),
        sampled("230.10", "Voltage", "V", context, Phase.l1),
        sampled("15.9", "Current.Import", "A", context, Phase.l1),
        sampled(str(20 + step), "SoC", "Percent", context),
        sampled("31.5", "Temperature", "Celsius", context),
    ]


def meter_values(step: int) -> MeterValue:
    return MeterValue(timestamp=spelled(BEGIN + timedelta(minutes=step)), sampled_value=samples_at(step))


async def report(charger: Charger, status: ChargePointStatus) -> None:
    await charger.ask(call.StatusNotification(connector_id=1, error_code=ChargePointErrorCode.no_error, status=status))


def times(samples: list[dict[str, str]]) -> Iterator[str]:
    return (sample["timestamp"] for sample in samples)


async def test_a_session_with_a_cut_in_the_middle(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server:
        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            boot = await charger.ask(
                call.BootNotification(charge_point_model="Wall", charge_point_vendor="Acme", firmware_version="1.2.3")
            )
            assert (boot.status, boot.interval) == ("Accepted", 300)
            await report(charger, ChargePointStatus.available)
            await report(charger, ChargePointStatus.preparing)
            authorized = await charger.ask(call.Authorize(id_tag="TAG-1"))
            assert authorized.id_tag_info["status"] == "Accepted"
            started = await charger.ask(
                call.StartTransaction(connector_id=1, id_tag="TAG-1", meter_start=METER_START, timestamp=spelled(BEGIN))
            )
            assert started.id_tag_info["status"] == "Accepted"
            transaction_id = started.transaction_id
            assert transaction_id > 0
            await report(charger, ChargePointStatus.charging)
            for step in range(1, 6):
                await charger.ask(
                    call.MeterValues(connector_id=1, transaction_id=transaction_id, meter_value=[meter_values(step)])
                )
            await charger.cut()
        await server.wait_for_line(lambda line: line["event"] == "connection" and line["outcome"] == "lost")
        point = await server.get("/api/v1/charge-points/CP-1")
        assert point["connected"] is False
        assert point["connectors"] == [
            {
                "connector_id": 1,
                "evse_id": None,
                "state": "offline",
                "status": "Charging",
                "reported_status": None,
                "error_code": "NoError",
                "status_at": point["connectors"][0]["status_at"],
                "status_began_at": point["connectors"][0]["status_at"],
                "transaction_id": transaction_id,
                "ocpp_transaction_id": None,
                **dict.fromkeys(("power_w", "current_a", "voltage_v", "soc_percent", "measured_at")),
            }
        ]

        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            for step in range(6, 11):
                await charger.ask(
                    call.MeterValues(connector_id=1, transaction_id=transaction_id, meter_value=[meter_values(step)])
                )
            stopped_at = BEGIN + timedelta(minutes=11)
            last = MeterValue(timestamp=spelled(stopped_at), sampled_value=samples_at(11, "Transaction.End"))
            stop = call.StopTransaction(
                meter_stop=METER_STOP,
                timestamp=spelled(stopped_at),
                transaction_id=transaction_id,
                reason=Reason.ev_disconnected,
                id_tag="TAG-1",
                transaction_data=[meter_values(10), last],
            )
            stopped = await charger.ask(stop)
            assert stopped.id_tag_info["status"] == "Accepted"
            await report(charger, ChargePointStatus.available)
            await charger.ask(call.Heartbeat())

            point = await server.get("/api/v1/charge-points/CP-1")
            listed = await server.get("/api/v1/transactions")
            samples = (await server.get(f"/api/v1/transactions/{transaction_id}/meter-values?limit=1000"))["items"]
        exit_code = await server.terminate()

    assert exit_code == 0
    assert listed["next_cursor"] is None
    (transaction,) = listed["items"]
    assert transaction == transaction | {
        "transaction_id": transaction_id,
        "charge_point_id": "CP-1",
        "connector_id": 1,
        "id_tag": "TAG-1",
        "meter_start": METER_START,
        "meter_stop": METER_STOP,
        "energy_wh": METER_STOP - METER_START,
        "started_at": spelled(BEGIN),
        "stopped_at": spelled(stopped_at),
        "stop_reason": "EVDisconnected",
        "stop_origin": "charger",
        "evidence": None,
        "energy_implausible": False,
    }
    # Ten times six samples, the six of the stop; those that transactionData repeats are there once.
    assert len(samples) == 66
    assert all(earlier <= later for earlier, later in pairwise(times(samples)))
    assert [s["value"] for s in samples if s["measurand"] == "SoC"] == [str(20 + step) for step in range(1, 12)]
    assert samples[2] == {
        "timestamp": spelled(BEGIN + timedelta(minutes=1)),
        "measurand": "Voltage",
        "phase": "L1",
        "unit": "V",
        "context": "Sample.Periodic",
        "location": "Outlet",
        "format": "Raw",
        "value": "230.10",
    }
    assert point["vendor"] == "Acme"
    assert point["firmware_version"] == "1.2.3"
    stamps = ["boot", "tx_start", "disconnect", "connect", "meter_values", "tx_stop", "status", "heartbeat"]
    moments = [point[f"last_{stamp}_at"] for stamp in stamps]
    assert None not in moments
    assert moments == sorted(moments), dict(zip(stamps, moments, strict=True))
    assert point["last_error_at"] is None

    with sqlite3.connect(database) as books:
        assert books.execute("SELECT count(*) FROM transactions").fetchone() == (1,)
        assert books.execute("SELECT count(*) FROM transaction_samples").fetchone() == (66,)
        (flushed,) = books.execute("SELECT last_heartbeat_at FROM charge_points").fetchone()
        assert flushed is not None
    books.close()


async def test_an_answered_start_survives_kill_9(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    start = call.StartTransaction(connector_id=1, id_tag="TAG-1", meter_start=500, timestamp=spelled(BEGIN))
    async with running_server(database) as server, connected_charger(server.ocpp_url, "CP-1") as charger:
        first = await charger.ask(start)
        await server.kill()

    async with running_server(database) as server, connected_charger(server.ocpp_url, "CP-1") as charger:
        (found,) = (await server.get("/api/v1/transactions?open=true"))["items"]
        repeated = await charger.ask(start)
        await charger.ask(
            call.StopTransaction(
                meter_stop=900, timestamp=spelled(BEGIN + timedelta(hours=1)), transaction_id=first.transaction_id
            )
        )
        (closed,) = (await server.get("/api/v1/transactions"))["items"]

    assert found["transaction_id"] == first.transaction_id
    assert repeated.transaction_id == first.transaction_id
    assert (closed["energy_wh"], closed["stop_reason"], closed["stop_origin"]) == (400, "Local", "charger")


async def test_every_frame_makes_one_log_line_and_a_flow_shares_its_id(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db") as server:
        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            await asyncio.gather(*(charger.ask(call.Heartbeat()) for _ in range(5)))
            await charger.ask(call.Authorize(id_tag="A"))
        await server.terminate()
        messages = [line for line in server.lines if line["event"] == "ocpp_message"]

    assert [(m["direction"], m["message_type"], m["action"]) for m in messages] == [
        *[("in", "call", "Heartbeat"), ("out", "call_result", "Heartbeat")] * 5,
        ("in", "call", "Authorize"),
        ("out", "call_result", "Authorize"),
    ]
    for asked, answered in zip(messages[::2], messages[1::2], strict=True):
        assert asked["correlation_id"] == answered["correlation_id"]
        assert asked["message_id"] == answered["message_id"]
        assert answered["duration_ms"] >= 0
    assert len({m["correlation_id"] for m in messages}) == 6
