"""What the API tells of one charge point beyond its list entry: orders, reports, its local list and configuration."""

from __future__ import annotations

from mcpp_generated.db.enums import Availability, ReportKind
from mcpp_generated.db.models import PutConfigurationKeysParams
from tests.integration.api.support import START, Site, minute, text


async def test_what_was_ordered_and_reported(api: Site) -> None:
    key = api.books.charge_point("CP-1")
    q = api.books.q
    q.order_availability(
        key=api.books.connector("CP-1", 2), ordered_availability=Availability.INOPERATIVE, ordered_at=START
    )
    api.books.connector("CP-1", 1)
    q.put_report(
        charge_point_key=key, kind=ReportKind.FIRMWARE, status="Installed", request_id=None, reported_at=minute(1)
    )
    q.put_report(charge_point_key=key, kind=ReportKind.LOG, status="Uploaded", request_id=4, reported_at=minute(2))
    q.put_local_list_version(charge_point_key=key, version=12, known_at=START)

    detail = (await api.get("/api/v1/charge-points/CP-1")).json()

    assert detail["ordered_availability"] == [{"connector_id": 2, "evse_id": None, "availability": "Inoperative"}]
    assert detail["reports"] == [
        {"kind": "firmware", "status": "Installed", "request_id": None, "reported_at": text(minute(1))},
        {"kind": "log", "status": "Uploaded", "request_id": 4, "reported_at": text(minute(2))},
    ]
    assert detail["local_list_version"] == 12


async def test_configuration_by_pages(api: Site) -> None:
    key = api.books.charge_point("CP-1")
    known = [("alpha", "1", False), ("Beta", None, True), ("gamma", "x", True)]
    api.books.q.put_configuration_keys(
        [PutConfigurationKeysParams(key, name, value, readonly, START) for name, value, readonly in known]
    )
    url = "/api/v1/charge-points/CP-1/configuration"
    first = (await api.get(url, limit=2)).json()
    second = (await api.get(url, cursor=first["next_cursor"])).json()

    assert first["items"] + second["items"] == [
        {"key": name, "value": value, "readonly": readonly, "known_at": text(START)} for name, value, readonly in known
    ]
    assert second["next_cursor"] is None
    assert (await api.get("/api/v1/charge-points/CP-2/configuration")).status_code == 404
