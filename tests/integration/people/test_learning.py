"""Learning a card at a real charger: the next unknown one is offered for a name, and gets no start."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.people.site import House, house

LEARN = "/api/v1/charge-points/CP-1/learn-card"


async def authorized(site: House, tag: str) -> str:
    status: str = (await site.charger.say("Authorize", {"idTag": tag}))["idTagInfo"]["status"]
    return status


async def started(site: House, tag: str, connector: int) -> str:
    answer = await site.charger.say(
        "StartTransaction",
        {"connectorId": connector, "idTag": tag, "meterStart": 0, "timestamp": "2026-03-01T11:00:00Z"},
    )
    status: str = answer["idTagInfo"]["status"]
    return status


async def state(site: House) -> tuple[str, str | None]:
    shown: dict[str, Any] = await site.central.get("charge-points/CP-1/learn-card")
    return shown["state"], shown["id_tag"]


@pytest.mark.parametrize("authorization", ["open", "known"])
async def test_the_next_unknown_card_is_offered_and_gets_no_start(tmp_path: Path, authorization: str) -> None:
    async with house(tmp_path, "2026-03-01T12:00+01:00", authorization=authorization, auto_start_id_tag="AUTO") as site:
        http = site.central.http
        for tag in ("KNOWN", "OTHER"):
            await site.central.put(f"id-tags/{tag}", {})
        running = await site.begin("KNOWN", "2026-03-01T12:30+01:00", connector=3)
        begun = (await http.post(LEARN)).json()
        ignored = await authorized(site, "AUTO"), await authorized(site, "KNOWN"), await started(site, "OTHER", 2)
        waiting = await state(site)
        answers = await authorized(site, "NEW"), await started(site, "new", 1)
        learnt = await state(site)
        await site.end(running, "2026-03-01T12:30:20+01:00", 50, connector=3)
        second = await authorized(site, "SECOND")
        line = await site.central.logged(lambda line: line["event"] == "card_learnt")
        await site.person("anna", name="Anna", cards=["NEW"])
        named = await authorized(site, "NEW")

    by_default = "Accepted" if authorization == "open" else "Invalid"
    assert (begun["state"], begun["id_tag"]) == ("waiting", None)
    assert ignored == (by_default, "Accepted", "Accepted")
    assert (waiting, learnt) == (("waiting", None), ("learnt", "NEW"))
    assert answers == ("Invalid", "Invalid")
    assert (second, named) == (by_default, "Accepted")
    assert (line["charge_point_id"], line["id_tag"]) == ("CP-1", "NEW")


async def test_it_waits_for_60_seconds_at_one_charger_and_can_be_ended(tmp_path: Path) -> None:
    async with house(tmp_path, "2026-03-01T12:00+01:00") as site, site.central.dial("CP-2") as other:
        http = site.central.http
        off = await state(site)
        await http.post(LEARN)
        elsewhere = await other.say("Authorize", {"idTag": "NEW"})
        site.time.forward(timedelta(seconds=59))
        in_time = await state(site)
        site.time.forward(timedelta(seconds=1))
        over, late = await state(site), await authorized(site, "NEW")
        await http.post(LEARN)
        learnt = await authorized(site, "NEW")
        site.time.forward(timedelta(seconds=60))
        after = await authorized(site, "NEW"), await state(site)
        await http.post(LEARN)
        ended = (await http.delete(LEARN)).status_code, await authorized(site, "NEW"), await state(site)
        unknown = (await http.post("/api/v1/charge-points/CP-9/learn-card")).status_code
    async with house(tmp_path, "2026-03-01T13:00+01:00") as site:
        gone = await site.central.http.post("/api/v1/charge-points/CP-2/learn-card")

    assert (off, in_time, over) == (("off", None), ("waiting", None), ("over", None))
    assert (elsewhere["idTagInfo"]["status"], late, learnt) == ("Accepted", "Accepted", "Invalid")
    assert after == ("Accepted", ("learnt", "NEW"))
    assert ended == (204, "Accepted", ("off", None))
    assert (unknown, gone.status_code, gone.json()["code"]) == (404, 409, "not_connected")
