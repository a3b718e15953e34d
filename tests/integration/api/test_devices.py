"""The device model of OCPP 2.x over HTTP: variables, monitors, events, reports."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from io import StringIO

import pytest

from mcpp import bounds
from mcpp.domain.configuration import KnownKey, note_keys
from mcpp.domain.device_events import DeviceEvent, Trigger, note_events
from mcpp.domain.device_model import Monitor, Variable, note_monitors, note_variables
from mcpp.domain.device_reports import ReportChunk, note_report_chunk, note_report_request
from mcpp.domain.occasion import Occasion, Result
from mcpp.domain.variables import VariableRef
from mcpp_generated.db.enums import DeviceEventKind, DeviceReportKind, Mutability, VariableAttribute
from mcpp_generated.db.queries import Queries
from tests.integration.api.support import START, Site, minute, text

PATH = "/api/v1/charge-points/CP-1"
INTERVAL = VariableRef("OCPPCommCtrlr", "HeartbeatInterval")
STATE = VariableRef("Connector", "AvailabilityState", evse_id=1, connector_id=2)
POWER = VariableRef("EVSE", "Power", evse_id=1, attribute=VariableAttribute.MAX_SET)
PASSWORD = VariableRef("SecurityCtrlr", "BasicAuthPassword")
TOLD = [
    Variable(INTERVAL, "300", Mutability.READ_WRITE, "integer", "s", Decimal(1), Decimal("9.5"), is_persistent=True),
    Variable(STATE, "Occupied", Mutability.READ_ONLY, "OptionList", values_list="Available,Occupied"),
    Variable(POWER, "11", Mutability.READ_WRITE),
    Variable(PASSWORD, "geheim", Mutability.WRITE_ONLY),
]
CHUNKS = DeviceReportKind.CUSTOMER_INFORMATION


async def told(api: Site, change: Callable[[Queries, Occasion], Result[None]], at: float = 0) -> None:
    key = api.books.charge_point("CP-1")
    await api.writer.submit(change, Occasion(key, "CP-1", "c" * 32, minute(at), lambda: "d" * 32))


async def has_told_variables(api: Site) -> None:
    await told(api, lambda q, occasion: note_variables(q, occasion, TOLD))


async def test_variables_and_the_configuration_under_the_same_keys(api: Site) -> None:
    await has_told_variables(api)

    items = {item["key"]: item for item in await api.items(f"{PATH}/variables")}
    assert list(items) == [
        "Connector@1.2.AvailabilityState",
        "EVSE@1.Power#MaxSet",
        "OCPPCommCtrlr.HeartbeatInterval",
        "SecurityCtrlr.BasicAuthPassword",
    ]
    assert items["OCPPCommCtrlr.HeartbeatInterval"] == {
        "component": "OCPPCommCtrlr",
        "component_instance": None,
        "evse_id": None,
        "connector_id": None,
        "variable": "HeartbeatInterval",
        "variable_instance": None,
        "key": "OCPPCommCtrlr.HeartbeatInterval",
        "attribute": "Actual",
        "value": "300",
        "mutability": "ReadWrite",
        "data_type": "integer",
        "unit": "s",
        "min_limit": "1",
        "max_limit": "9.5",
        "max_elements": None,
        "values_list": None,
        "supports_monitoring": None,
        "persistent": True,
        "constant": None,
        "known_at": text(START),
    }
    state = items["Connector@1.2.AvailabilityState"]
    assert (state["evse_id"], state["connector_id"], state["values_list"]) == (1, 2, "Available,Occupied")
    keys = await api.items(f"{PATH}/configuration")
    assert [(key["key"], key["value"], key["readonly"]) for key in keys] == [
        ("Connector@1.2.AvailabilityState", "Occupied", True),
        ("EVSE@1.Power#MaxSet", "11", False),
        ("OCPPCommCtrlr.HeartbeatInterval", "300", False),
        ("SecurityCtrlr.BasicAuthPassword", None, False),
    ]


async def test_a_charger_of_1_6_has_its_keys_and_no_variables(api: Site) -> None:
    await told(api, lambda q, occasion: note_keys(q, occasion, [KnownKey("A", "1", readonly=True)], []))
    assert await api.items(f"{PATH}/configuration") == [
        {"key": "A", "value": "1", "readonly": True, "known_at": text(START)}
    ]
    for path in ("variables", "monitors", "device-events", "reports"):
        assert await api.items(f"{PATH}/{path}") == []


FILTERS: Sequence[tuple[Mapping[str, str | int], list[str]]] = [
    ({"component": "evse"}, ["EVSE@1.Power#MaxSet"]),
    ({"variable": "heartbeatinterval"}, ["OCPPCommCtrlr.HeartbeatInterval"]),
    ({"evse_id": 1, "component": "Connector"}, ["Connector@1.2.AvailabilityState"]),
    ({"evse_id": 0}, ["OCPPCommCtrlr.HeartbeatInterval", "SecurityCtrlr.BasicAuthPassword"]),
    ({"search": "ctrlr.h"}, ["OCPPCommCtrlr.HeartbeatInterval"]),
    ({"search": "%"}, []),
]


async def test_filters(api: Site) -> None:
    await has_told_variables(api)
    for filters, keys in FILTERS:
        assert [item["key"] for item in await api.items(f"{PATH}/variables", **filters)] == keys, filters


async def test_pages_and_csv_have_all_of_them(api: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [Variable(VariableRef("\x01" * 250, f"V{number}", "😀" * 60), "x" * 16_000) for number in range(300)]
    monkeypatch.setattr(bounds, "DEVICE_VARIABLES_BYTES", bounds.MIB * 10)
    await told(api, lambda q, occasion: note_variables(q, occasion, many))
    for path in ("variables", "configuration"):
        found: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = (await api.get(f"{PATH}/{path}", limit=1000, **({"cursor": cursor} if cursor else {}))).json()
            assert len(page["items"]) < len(many)
            found += [item["key"] for item in page["items"]]
            cursor = page["next_cursor"]
        assert len(set(found)) == len(found) == len(many)
        rows = list(csv.DictReader(StringIO((await api.get(f"{PATH}/{path}", format="csv")).text)))
        assert [row["key"] for row in rows] == found


async def test_reports(api: Site) -> None:
    await told(api, lambda q, occasion: note_report_request(q, occasion, CHUNKS, 7))
    for seq_no, data, last in ((0, "Hel", False), (1, "lo wifiPass", False), (3, "word=geheim", True)):
        content = {"data": data, "items": [seq_no], "who": seq_no}
        chunk = ReportChunk(kind=CHUNKS, request_id=7, content=content, seq_no=seq_no, is_last=last)
        await told(api, lambda q, occasion, chunk=chunk: note_report_chunk(q, occasion, chunk), seq_no + 1)  # type: ignore[misc]  # the default binds it
    other = ReportChunk(kind=DeviceReportKind.CHARGING_PROFILES, request_id=7, content={}, is_last=False)
    await told(api, lambda q, occasion: note_report_chunk(q, occasion, other), 9)

    newest, first = await api.items(f"{PATH}/reports")
    assert newest["kind"] == "charging_profiles"
    assert newest["complete"] is False
    expected = {
        "kind": "customer_information",
        "request_id": 7,
        "requested_at": text(START),
        "first_at": text(minute(1)),
        "last_at": text(minute(4)),
        "full": False,
        "complete": True,
    }
    assert first == expected
    assert (await api.get(f"{PATH}/reports/7")).json()["kind"] == "charging_profiles"
    assert (await api.get(f"{PATH}/reports/7", kind="customer_information")).json() == expected | {
        "chunks": 3,
        "gaps": [{"first": 2, "last": 2}],
        "content": {"data": "Hello wifiPassword=***", "items": [0, 1, 3], "who": 3},
    }
    assert (await api.get(f"{PATH}/reports/8")).json()["code"] == "not_found"
    assert (await api.get("/api/v1/charge-points/CP-9/reports/7")).status_code == 404


async def test_monitors_and_events(api: Site) -> None:
    monitors = [Monitor(it, POWER, "UpperThreshold", Decimal("10.5"), 2, origin="CustomMonitor") for it in (2, 1)]
    alert = DeviceEvent(
        subject=STATE, event_id=4, occurred_at=minute(1), value="Faulted", trigger=Trigger.ALERTING, monitor_id=2
    )
    swap = DeviceEvent(subject="BatteryIn", kind=DeviceEventKind.BATTERY_SWAP, event_id=9, details={"soC": 80})
    await told(api, lambda q, occasion: note_monitors(q, occasion, monitors))
    await told(api, lambda q, occasion: note_events(q, occasion, [alert, swap]), 5)

    assert [item["monitor_id"] for item in await api.items(f"{PATH}/monitors")] == [1, 2]
    first = (await api.get(f"{PATH}/monitors", limit=1)).json()
    assert first["items"][0] | {"component": "EVSE", "key": "EVSE@1.Power#MaxSet", "value": "10.5"} == first["items"][0]
    assert len(await api.items(f"{PATH}/monitors", cursor=first["next_cursor"])) == 1
    newest, oldest = await api.items(f"{PATH}/device-events")
    assert (newest["kind"], newest["subject"]) == ("battery_swap", "BatteryIn")
    assert (newest["component"], newest["details"], newest["occurred_at"]) == (None, {"soC": 80}, text(minute(5)))
    assert (oldest["subject"], oldest["value"], oldest["severity"]) == ("Connector@1.2.AvailabilityState", "Faulted", 2)
    assert (oldest["occurred_at"], oldest["received_at"]) == (text(minute(1)), text(minute(5)))


async def test_an_unknown_charger_and_a_foreign_cursor(api: Site) -> None:
    api.books.charge_point("CP-1")
    for path in ("variables", "monitors", "device-events", "reports"):
        assert (await api.get(f"/api/v1/charge-points/CP-9/{path}")).json()["code"] == "not_found"
        assert (await api.get(f"{PATH}/{path}", cursor="bm8")).status_code == 422


async def test_what_is_purged_takes_its_device_model_with_it(api: Site) -> None:
    await has_told_variables(api)
    await told(api, lambda q, occasion: note_events(q, occasion, [DeviceEvent(subject=STATE)]))
    chunk = ReportChunk(kind=CHUNKS, request_id=7, content={"data": "x"})
    await told(api, lambda q, occasion: note_report_chunk(q, occasion, chunk))
    assert (await api.http.delete(PATH)).status_code == 204
    for table in ("device_variables", "device_monitors", "device_events", "device_reports", "device_report_chunks"):
        assert api.books.connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
