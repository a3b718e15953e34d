"""GET /summary: counts, sums, and each code of what needs a person, from where it begins to where it ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

from mcpp.domain.conformance import Kind, Seen, Waiting, write_departures
from mcpp.domain.samples import Sample, SampleKind
from mcpp.reads.attention import (
    GRAVITY,
    IMPLAUSIBLE_FOR,
    MOST_ITEMS,
    NO_METER_VALUES_AFTER,
    OFFLINE_AFTER,
    OPEN_TOO_LONG,
    RECENT,
    TEXTS,
    Attention,
    AttentionCode,
    is_disk_low,
)
from mcpp.reads.attention_search import AttentionSources, EndingCertificate, LowDisk
from mcpp.reads.reports import By, Period, energy_report, grand_total
from mcpp.reads.stored_fleet import read_fleet
from mcpp.reads.summary import Summary, read_summary
from mcpp.reads.times import AFTER_ALL, BEFORE_ALL
from mcpp.server.attention import DiskWatch
from mcpp.server.reconnect_loops import TOLERATED, Origin, ReconnectLoops
from mcpp_generated.db.enums import IdTagStatus, MessageRole, StopOrigin
from tests import events
from tests.integration.api.support import Site, minute

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Refused:
    remote_address: str = "192.0.2.7"
    path: str = "/steve/websocket/CentralSystemService/CP-9"
    charge_point_id: str | None = "CP-9"
    remedy: str = "type the URL ws://192.0.2.1:9000/ocpp"
    count: int = 1
    last_at: datetime = NOW


async def attention(api: Site, sources: AttentionSources | None = None, now: datetime = NOW) -> list[Attention]:
    return list((await summary_at(api, now, sources)).attention)


async def summary_at(api: Site, now: datetime = NOW, sources: AttentionSources | None = None) -> Summary:
    services = api.services
    services.live_readings.load(read_fleet(api.books.q))
    for identity in api.connections.identities:
        services.live_readings(replace(events.CONNECTED, charge_point_id=identity))
    return await read_summary(
        services.readers,
        services.live,
        services.live_readings,
        services.booked,
        sources or AttentionSources(),
        BERLIN,
        now,
    )


async def codes(api: Site, sources: AttentionSources | None = None, now: datetime = NOW) -> list[str]:
    return [str(it.code) for it in await attention(api, sources, now)]


def point(api: Site, identity: str = "CP-1", *, connected: bool = True) -> int:
    """A charge point that was accepted, is connected, and has a free connector."""
    key = api.books.charge_point(identity, "Vendor")
    api.books.status(identity, 1, "Available", "NoError", NOW)
    if connected:
        api.connections.identities.add(identity)
    return key


async def test_the_summary_over_http(api: Site) -> None:
    point(api)
    answer = await api.get("/api/v1/summary", timezone="Europe/Berlin")
    unknown = await api.get("/api/v1/summary", timezone="Europa/Berlin")

    assert answer.status_code == 200, answer.text
    assert answer.json()["counts"]["charge_points"] == 1
    assert answer.json()["attention"] == []
    assert unknown.status_code == 422
    assert "did you mean Europe/Berlin?" in unknown.json()["detail"]


async def test_what_is_counted(api: Site) -> None:
    for identity in ("CP-1", "CP-2", "CP-3", "CP-4"):
        point(api, identity)
    point(api, "CP-5", connected=False)
    api.books.q.register_charge_point(identity="CP-6", registered_at=NOW)
    api.books.status("CP-1", 0, "Available", "NoError", NOW)
    api.books.status("CP-1", 2, "Faulted", "GroundFailure", NOW)
    api.books.status("CP-2", 1, "Charging", "NoError", NOW)
    transaction = api.books.start("CP-2", 1, "TAG", NOW)
    api.books.status("CP-3", 1, "SuspendedEV", "NoError", NOW)
    api.books.status("CP-4", 1, "Preparing", "NoError", NOW)

    found = await summary_at(api)
    assert (found.counts.charge_points, found.counts.connected) == (6, 4)
    assert (found.counts.offline, found.counts.never_connected, found.counts.need_attention) == (1, 1, 2)
    counted = {str(state): number for state, number in found.counts.connectors.items() if number}
    assert counted == {"free": 1, "faulted": 1, "charging": 1, "plugged_in": 2, "offline": 1, "never_connected": 1}

    # A connector counts in power, else the charge point's own meter does.
    live = api.services.live_readings
    power = SampleKind("Power.Active.Import", "", "W", "Sample.Periodic", "Outlet", "Raw")
    for identity, connector_id, transaction_id in (("CP-2", 1, transaction), ("CP-2", 0, None)):
        live(
            replace(
                events.MEASURED,
                charge_point_id=identity,
                connector_id=connector_id,
                transaction_id=transaction_id,
                samples=[Sample(NOW, power, "3000", 0)],
                energy_wh=1200 if transaction_id else None,
                at=NOW,
            )
        )
    services = api.services
    again = await read_summary(services.readers, services.live, live, services.booked, AttentionSources(), BERLIN, NOW)
    assert again.power_w == 3000
    assert (again.sessions_running, again.energy_running_wh, again.energy_today_wh) == (1, 1200, 0)

    listed = (await api.get("/api/v1/charge-points/CP-1")).json()["connectors"]
    assert [it["state"] for it in listed[1:]] == ["free", "faulted"]


async def test_today_and_this_month_are_what_the_report_says(api: Site) -> None:
    point(api)
    # Around midnight and the month's end in Berlin, and of clocks that are wrong.
    ends = [
        datetime(2026, 4, 30, 21, 59, 59, tzinfo=UTC),
        datetime(2026, 4, 30, 22, 0, tzinfo=UTC),
        datetime(2026, 5, 19, 21, 59, 59, tzinfo=UTC),
        datetime(2026, 5, 19, 22, 0, tzinfo=UTC),
        NOW,
        datetime(2026, 5, 20, 21, 59, 59, tzinfo=UTC),
        datetime(2026, 5, 31, 21, 59, 59, tzinfo=UTC),
        datetime(2026, 6, 1, tzinfo=UTC),
        datetime(2037, 1, 1, tzinfo=UTC),
    ]
    for number, end in enumerate(ends):
        for wh, correction in ((1 << number, None), (-5, None), (-7, 1000 << number)):
            transaction = api.books.start(at=end - timedelta(hours=1))
            api.books.stop(transaction, 1000 + wh, end)
            if correction is not None:
                key = api.books.q.add_correction(
                    transaction_id=transaction, energy_wh=correction, note="", who="", corrected_at=NOW
                )
                api.books.q.set_correction(id=transaction, correction_id=key)

    async def report(period: Period, name: str) -> tuple[int, int, int]:
        lines = await energy_report(api.services.readers, By.CHARGER, period, BERLIN, BEFORE_ALL, AFTER_ALL)
        total = grand_total(line for line in lines if line.period == name)
        return total.energy_wh, total.sessions, total.implausible_sessions

    found = await summary_at(api)
    today, month = await report(Period.DAY, "2026-05-20"), await report(Period.MONTH, "2026-05")
    assert (found.energy_today_wh, found.sessions_today, found.implausible_today) == today
    assert (found.energy_month_wh, found.sessions_month, found.implausible_month) == month
    assert today[0] > 0
    assert month[0] > today[0]


async def test_what_changes_in_the_past_counts_at_once(api: Site) -> None:
    point(api)
    transaction = api.books.ended(at=NOW - timedelta(days=3))
    before = await summary_at(api)
    key = api.books.q.add_correction(transaction_id=transaction, energy_wh=77, note="", who="", corrected_at=NOW)
    api.books.q.set_correction(id=transaction, correction_id=key)
    api.events.publish([replace(events.CORRECTED, transaction_id=transaction, energy_wh=77)])
    corrected = await summary_at(api)
    late = api.books.ended(at=NOW - timedelta(days=2))
    ended = await summary_at(api)
    api.events.publish([replace(events.STOPPED, transaction_id=late, stopped_at=NOW - timedelta(days=2))])

    assert (before.energy_month_wh, corrected.energy_month_wh) == (4200, 77)
    assert ended.energy_month_wh == 77  # kept: no event has said so
    assert (await summary_at(api)).energy_month_wh == 77 + 4200


async def test_faulted_until_it_is_not(api: Site) -> None:
    point(api)
    api.books.status("CP-1", 1, "Faulted", "GroundFailure", minute(1))
    api.books.status("CP-1", 1, "Faulted", "GroundFailure", minute(9))
    (fault,) = await attention(api)

    assert (fault.code, fault.charge_point_id, fault.connector_id) == (AttentionCode.FAULTED, "CP-1", 1)
    assert fault.since == minute(1)  # a repeat changes nothing
    assert (fault.text, fault.action) == ("CP-1 reports a fault: GroundFailure", "restart")
    api.books.status("CP-1", 1, "Available", "NoError", minute(10))
    assert await codes(api) == []


async def test_offline_after_some_minutes_of_a_server_that_runs_as_long(api: Site) -> None:
    key = point(api, connected=False)
    gone_at = NOW - OFFLINE_AFTER
    api.books.q.disconnect_charge_point(key=key, connection_epoch=2, disconnected_at=gone_at)
    just_started = AttentionSources(uptime=lambda: OFFLINE_AFTER - timedelta(seconds=1))
    (offline,) = await attention(api)

    assert (offline.code, offline.since) == (AttentionCode.OFFLINE, gone_at)
    assert await codes(api, now=NOW - timedelta(seconds=1)) == []
    assert await codes(api, just_started) == []
    api.connections.identities.add("CP-1")
    assert await codes(api) == []


async def test_never_booted_is_who_comes_and_does_not_say_who_it_is(api: Site) -> None:
    api.books.charge_point("CP-1")  # first and last at START
    first = minute(0)
    api.connections.identities.add("CP-1")

    assert await codes(api, now=first + timedelta(minutes=4)) == []
    assert await codes(api, now=first + timedelta(minutes=5)) == ["never_booted"]
    assert await codes(api, now=first + timedelta(days=90)) == ["never_booted"]
    api.connections.identities.clear()
    assert await codes(api, now=first + timedelta(days=90)) == []


async def test_a_session_that_is_open_for_too_long_or_silent(api: Site) -> None:
    point(api)
    transaction = api.books.start(at=NOW - OPEN_TOO_LONG)
    (long,) = await attention(api)
    assert (long.code, long.since, long.action) == (
        AttentionCode.OPEN_TOO_LONG,
        NOW - OPEN_TOO_LONG,
        "close_transaction",
    )
    assert long.params["transaction_id"] == str(transaction)
    api.books.stop(transaction, at=NOW)
    api.services.live_readings(replace(events.STOPPED, transaction_id=transaction, connector_id=1))

    api.books.status("CP-1", 1, "Charging", "NoError", NOW)
    began = NOW - NO_METER_VALUES_AFTER
    transaction = api.books.start(at=began)
    (silent,) = await attention(api)
    assert (silent.code, silent.connector_id, silent.since) == (AttentionCode.NO_METER_VALUES, 1, began)
    assert await codes(api, now=NOW - timedelta(seconds=1)) == []
    api.services.live_readings(
        replace(events.MEASURED, charge_point_id="CP-1", connector_id=1, transaction_id=transaction, samples=[], at=NOW)
    )
    assert await codes(api) == []
    assert await codes(api, now=NOW + NO_METER_VALUES_AFTER) == ["no_meter_values"]
    api.books.status("CP-1", 1, "SuspendedEV", "NoError", NOW)
    assert await codes(api, now=NOW + NO_METER_VALUES_AFTER) == []


async def test_recovered_and_implausible_sessions_are_said_for_some_time(api: Site) -> None:
    point(api)
    api.books.stop(api.books.start(at=minute(0)), at=minute(60), origin=StopOrigin.RECOVERED, evidence="{}")
    api.books.stop(api.books.start(at=minute(0)), meter_stop=0, at=minute(60))
    ended_at = minute(60)

    assert sorted(await codes(api, now=ended_at)) == ["implausible", "recovered"]
    assert await codes(api, now=ended_at + RECENT + timedelta(seconds=1)) == ["implausible"]
    assert await codes(api, now=ended_at + IMPLAUSIBLE_FOR + timedelta(seconds=1)) == []
    key = api.books.q.add_correction(transaction_id=2, energy_wh=1, note="", who="", corrected_at=ended_at)
    api.books.q.set_correction(id=2, correction_id=key)
    assert await codes(api, now=ended_at) == ["recovered"]


async def test_records_cards_and_departures(api: Site) -> None:
    key = point(api)
    for number in (7, 8):
        api.books.q.add_unmatched_stop(
            charge_point_key=key,
            ocpp_version="1.6",
            claimed_transaction_id=number,
            payload="{}",
            payload_bytes=2,
            payload_digest=bytes([number] * 16),
            received_at=minute(number),
            stopped_at=minute(number),
            meter_stop=1,
            id_tag=None,
            stop_reason="Local",
            transaction_id=None,
        )
    for identity, card, at in (("CP-1", "alice", minute(1)), ("CP-2", "ALICE", minute(2)), ("CP-1", "BOB", minute(3))):
        other = api.books.charge_point(identity, "Vendor")
        api.connections.identities.add(identity)
        api.books.q.add_unknown_id_tag(
            id_tag=card, charge_point_key=other, status="Invalid", times=1, first_at=at, last_at=at
        )
    seen = Seen(1, minute(4), minute(4), "x", "y")
    for field in ("a", "b"):
        write_departures(api.books.q, [Waiting("CP-1", Kind("Heartbeat", MessageRole.CALL, "rule", field), seen)])
    now = minute(60)
    found = {it.code: it for it in await attention(api, now=now)}

    assert found[AttentionCode.UNMATCHED].params == {"name": "CP-1", "count": "2"}
    assert found[AttentionCode.UNMATCHED].since == minute(8)
    assert found[AttentionCode.DEVIATING].params == {"name": "CP-1", "count": "2"}
    cards = [it for it in await attention(api, now=now) if it.code is AttentionCode.UNKNOWN_CARD]
    assert [(it.params["id_tag"], it.charge_point_id) for it in cards] == [("BOB", "CP-1"), ("ALICE", "CP-2")]
    assert await codes(api, now=now + RECENT) == ["unmatched"]
    api.books.q.put_id_tag(
        id_tag="Alice", status=IdTagStatus.BLOCKED, expiry_date=None, parent_id_tag=None, note=None, token_type=None
    )
    assert (await codes(api, now=now)).count("unknown_card") == 1


async def test_what_the_server_knows_of_connections_certificates_and_its_machine(api: Site) -> None:
    point(api)
    sources = AttentionSources(
        reconnect_loops=lambda: {"CP-1": minute(1), "gone": minute(2)},
        refused=lambda: [
            Refused(),
            Refused(charge_point_id="CP-1"),  # it's in by now
            Refused(charge_point_id=None, count=1, path="/favicon.ico"),
            Refused(charge_point_id=None, count=3),
            Refused(last_at=NOW - timedelta(days=2)),
        ],
        own_certificates=lambda: [EndingCertificate("the http listener", NOW + timedelta(days=5), minute(3))],
        low_disk=lambda: LowDisk(3 << 20, minute(4)),
        clock_wrong_since=lambda: minute(5),
    )
    found = await attention(api, sources)

    assert [str(it.code) for it in found] == [
        "disk_low",
        "reconnect_loop",
        "refused_connection",
        "refused_connection",
        "clock_wrong",
        "certificate_expires",
    ]
    assert found[2].charge_point_id == "CP-9"
    assert found[2].text.endswith("was refused: type the URL ws://192.0.2.1:9000/ocpp")
    assert found[5].text == "The certificate of the http listener ends on 2026-05-25"
    assert await codes(api) == []


async def test_a_certificate_that_should_have_been_renewed(api: Site) -> None:
    key = point(api)

    def certificate(number: int, ends: datetime) -> None:
        api.books.connection.execute(
            "INSERT INTO certificates (charge_point_key, charge_point_id, status, subject, key_type, csr, requested_at,"
            " certificate, serial_number, issued_at, expires_at)"
            " VALUES (?, 'CP-1', 'issued', '', '', '', 0, '', ?, ?, ?)",
            (key, str(number), *(int(it.timestamp() * 1000) for it in (ends - timedelta(days=365), ends))),
        )

    certificate(1, NOW + timedelta(days=15))
    assert await codes(api) == ["certificate_expires"]
    assert await codes(api, now=NOW - timedelta(seconds=1)) == []  # half of the 30 days for its renewal are left
    certificate(2, NOW + timedelta(days=300))
    assert await codes(api) == []


async def test_the_list_is_bounded_the_gravest_first_of_these_the_newest(api: Site) -> None:
    for number in range(MOST_ITEMS + 20):
        point(api, f"CP-{number}")
        api.books.status(f"CP-{number}", 1, "Faulted", "NoError", minute(number))
    clock_wrong = AttentionSources(clock_wrong_since=lambda: NOW)
    found = await summary_at(api, sources=clock_wrong)

    assert (len(found.attention), found.attention_total) == (MOST_ITEMS, MOST_ITEMS + 21)
    assert [it.charge_point_id for it in found.attention[:2]] == ["CP-119", "CP-118"]
    assert {it.code for it in found.attention} == {AttentionCode.FAULTED}
    assert found.counts.need_attention == MOST_ITEMS + 20


async def test_hostile_names_are_only_text(api: Site) -> None:
    hostile = "{name.__class__} <b>\u202e" + "x" * 300
    point(api, "CP-1")
    api.books.connection.execute("UPDATE charge_points SET display_name = ?", (hostile,))
    api.books.status("CP-1", 1, "Faulted", "OtherError", NOW)
    (fault,) = await attention(api)

    assert fault.text.startswith("{name.__class__} <b>\u202e")
    assert len(fault.text) < 300


def test_every_code_has_all_that_goes_with_it() -> None:
    for code in AttentionCode:
        it = Attention(code, None, None, NOW, dict.fromkeys(fields_of(TEXTS[code]), "x"))
        assert it.text
        assert it.action
        assert GRAVITY[code] is it.gravity


def fields_of(text: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(text) if name]


@pytest.mark.parametrize(
    ("free", "total", "low"),
    [(255 << 20, 1 << 30, True), (257 << 20, 1 << 30, False), (1 << 30, 32 << 30, True), (6 << 30, 1 << 40, False)],
)
def test_when_a_disk_is_low(free: int, total: int, low: bool) -> None:
    assert is_disk_low(free, total) is low


def test_the_disk_is_looked_at_where_the_database_is(tmp_path: Path) -> None:
    watch = DiskWatch(tmp_path, lambda: NOW)
    found = watch()
    assert found is None or found.free > 0
    assert DiskWatch(tmp_path / "missing", lambda: NOW)() is None


def test_a_reconnect_loop_begins_with_the_first_of_its_takeovers_and_ends_with_the_window() -> None:
    now = 1000.0
    loops = ReconnectLoops(lambda: now)
    for _ in range(TOLERATED + 1):
        assert loops.going_on() == {}
        now += 10
        loops.taken_over("CP-1", Origin("192.0.2.1", "/ocpp/CP-1"), Origin("192.0.2.2", "/ocpp/CP-1"))
    assert loops.going_on() == {"CP-1": 1010.0}
    now += 120
    assert loops.going_on() == {}
