"""Reservations, as the API lists them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mcpp_generated.db.enums import ReservationState
from tests.integration.api.support import START, Site, text


@pytest.fixture
def booked(api: Site) -> None:
    now = datetime.now(UTC)
    for number, (identity, status, hours) in enumerate(
        [
            ("A", ReservationState.ACCEPTED, 1),
            ("B", ReservationState.ACCEPTED, 1),
            ("A", ReservationState.ACCEPTED, -1),
            ("A", ReservationState.CANCELLED, 1),
            ("A", ReservationState.EXPIRED, -2),
        ],
        start=1,
    ):
        key = api.books.q.put_reservation(
            charge_point_key=api.books.charge_point(identity),
            reservation_id=number,
            connector_key=api.books.connector(identity, 1),
            id_tag="TAG",
            parent_id_tag=None,
            expiry_date=now + timedelta(hours=hours),
            created_at=START,
        )
        if status is not ReservationState.ACCEPTED:
            api.books.q.set_reservation_status(id=key, status=status, transaction_id=None)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"limit": 2}, [5, 4]),
        ({"charge_point_id": "A"}, [5, 4, 3, 1]),
        ({"charge_point_id": "C"}, []),
        ({"status": "Accepted"}, [2, 1]),
        ({"status": "Cancelled"}, [4]),
        ({"status": "Used"}, []),
        ({"status": "Accepted", "charge_point_id": "A"}, [1]),
        ({"status": "Cancelled", "charge_point_id": "A"}, [4]),
    ],
)
@pytest.mark.usefixtures("booked")
async def test_filters(api: Site, filters: dict[str, str | int], found: list[int]) -> None:
    items = await api.items("/api/v1/reservations", **filters)

    assert [item["reservation_id"] for item in items] == found


@pytest.mark.usefixtures("booked")
async def test_what_is_overdue_has_expired_whatever_the_books_say_yet(api: Site) -> None:
    items = await api.items("/api/v1/reservations")

    assert [item["status"] for item in items] == ["Expired", "Cancelled", "Expired", "Accepted", "Accepted"]
    assert items[1] == items[1] | {
        "reservation_id": 4,
        "charge_point_id": "A",
        "connector_id": 1,
        "id_tag": "TAG",
        "parent_id_tag": None,
        "transaction_id": None,
        "created_at": text(START),
    }


@pytest.mark.usefixtures("booked")
async def test_pages(api: Site) -> None:
    first = (await api.get("/api/v1/reservations", limit=3)).json()
    second = (await api.get("/api/v1/reservations", limit=3, cursor=first["next_cursor"])).json()

    assert [item["reservation_id"] for item in first["items"] + second["items"]] == [5, 4, 3, 2, 1]
    assert (await api.get("/api/v1/reservations", status="Gone")).status_code == 422
