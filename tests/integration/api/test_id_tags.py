"""Id tags that an operator keeps in the books through the API."""

from __future__ import annotations

import pytest

from mcpp.domain import id_tags
from mcpp.domain.id_tags import StoredTag
from tests.integration.api.support import START, Site, minute, text


async def test_stored_changed_read_and_forgotten(api: Site) -> None:
    url = "/api/v1/id-tags/Tag-1"
    created = await api.http.put(url, json={})
    full = {
        "status": "Blocked",
        "expiry_date": "2020-05-04T11:30:00.5+02:00",
        "parent_id_tag": "Family",
        "note": "lost\nin May",
        "token_type": "ISO14443",
    }
    changed = await api.http.put("/api/v1/id-tags/TAG-1", json=full)
    read = await api.get("/api/v1/id-tags/tag-1")
    emptied = await api.http.put(url, json={})
    forgotten = await api.http.delete("/api/v1/id-tags/TAG-1")

    accepted = {"status": "Accepted", "expiry_date": None, "parent_id_tag": None, "note": None, "token_type": None}
    assert (created.status_code, created.json()) == (201, {"id_tag": "Tag-1"} | accepted)
    assert changed.status_code == 200
    assert changed.json() == full | {"id_tag": "TAG-1", "expiry_date": "2020-05-04T09:30:00.500Z"}
    assert read.json() == changed.json()
    assert emptied.json() == {"id_tag": "Tag-1"} | accepted
    assert forgotten.status_code == 204
    assert (await api.get(url)).status_code == 404
    assert (await api.http.delete(url)).status_code == 404


async def test_a_tag_may_hold_any_character_that_can_be_printed(api: Site) -> None:
    for tag, path in [("a/b", "a%2Fb"), ("ü ?#%", "%C3%BC%20%3F%23%25"), ("..", "%2E%2E"), ("x/", "x%2F")]:
        # The client would resolve the dots.
        url = f"http://127.0.0.1:{api.port}/api/v1/id-tags/{path}"
        assert (await api.http.put(url, json={})).status_code == 201, tag
        assert (await api.get(url)).json()["id_tag"] == tag


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({"status": "ConcurrentTx"}, "body.status"),
        ({"status": None}, "body.status"),
        ({"expiry_date": "2030-01-01T00:00:00"}, "body.expiry_date"),
        ({"expiry_date": "2030-01-01"}, "body.expiry_date"),
        ({"expiry_date": 1_900_000_000}, "body.expiry_date"),
        ({"expiry_date": "0001-01-01T00:00:00+14:00"}, "body.expiry_date"),
        ({"parent_id_tag": "x" * 21}, "body.parent_id_tag"),
        ({"expiry": "2030-01-01T00:00:00Z"}, "body.expiry"),
    ],
)
async def test_what_is_refused(api: Site, body: dict[str, object], location: str) -> None:
    response = await api.http.put("/api/v1/id-tags/A", json=body)

    assert response.status_code == 422
    assert [error["location"] for error in response.json()["errors"]] == [location]


async def test_pages_hold_each_tag_once_whatever_its_letter_case(api: Site) -> None:
    for tag in ("b", "C", "a", "B2", "é"):
        await api.http.put(f"/api/v1/id-tags/{tag}", json={})
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await api.get("/api/v1/id-tags", limit=2, **cursor)).json()
        found += [item["id_tag"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert found == ["a", "b", "B2", "C", "é"]


async def presented(api: Site, *cards: tuple[str, str, str, float]) -> None:
    for tag, identity, status, at in cards:
        api.books.q.add_unknown_id_tag(
            id_tag=tag,
            charge_point_key=api.books.charge_point(identity),
            status=status,
            times=2,
            first_at=START,
            last_at=minute(at),
        )


async def test_unknown_cards_are_listed_those_presented_last_first(api: Site) -> None:
    await presented(api, ("A", "CP-1", "Invalid", 1), ("b", "CP-1", "Blocked", 3), ("A", "CP-2", "Accepted", 3))
    first = (await api.get("/api/v1/id-tags/unknown", limit=2)).json()
    second = (await api.get("/api/v1/id-tags/unknown", limit=2, cursor=first["next_cursor"])).json()

    assert first["items"][0] == {
        "id_tag": "b",
        "charge_point_id": "CP-1",
        "status": "Blocked",
        "times": 2,
        "first_at": text(START),
        "last_at": text(minute(3)),
    }
    found = [(item["id_tag"], item["charge_point_id"]) for item in first["items"] + second["items"]]
    assert found == [("b", "CP-1"), ("A", "CP-2"), ("A", "CP-1")]
    assert second["next_cursor"] is None
    assert (await api.get("/api/v1/id-tags/unknown", status="Blocked")).status_code == 422


async def test_a_card_that_is_given_a_name_is_unknown_no_more(api: Site) -> None:
    await presented(api, ("A", "CP-1", "Invalid", 1), ("A", "CP-2", "Invalid", 1), ("B", "CP-1", "Invalid", 1))
    await api.http.put("/api/v1/id-tags/a", json={"note": "Mary's"})

    assert [item["id_tag"] for item in await api.items("/api/v1/id-tags/unknown")] == ["B"]


async def test_a_tag_of_the_name_unknown_has_its_path_in_another_case(api: Site) -> None:
    id_tags.put(api.books.q, StoredTag("unknown"))
    longer = await api.http.put("/api/v1/id-tags/unknown%2F1", json={})
    changed = await api.http.put("/api/v1/id-tags/Unknown", json={"note": "a strange name"})
    read = await api.get("/api/v1/id-tags/UNKNOWN")
    refused = [await api.http.put("/api/v1/id-tags/unknown", json={}), await api.http.delete("/api/v1/id-tags/unknown")]
    forgotten = await api.http.delete("/api/v1/id-tags/UNKNOWN")

    assert (longer.status_code, changed.status_code) == (201, 200)
    assert (read.json()["id_tag"], read.json()["note"]) == ("Unknown", "a strange name")
    assert [(answer.status_code, answer.headers["allow"]) for answer in refused] == [(405, "GET")] * 2
    assert (await api.get("/api/v1/id-tags/unknown")).json() == {"items": [], "next_cursor": None}
    assert forgotten.status_code == 204
