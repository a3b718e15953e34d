"""Chargers with texts of 0.9 MB in every field: the server answers, books, and keeps its bounds, also to readers."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx

from tests.acceptance.server import Server, running_server
from tests.integration.field_notes.charger import RawCharger, dialled, minute
from tests.integration.hostile.messages import FORMS, filled

TEXT_BYTES: Final = 900_000
KIB: Final = 1 << 10
MIB: Final = 1 << 20

_FLAGS: Final = ("--frame-limit", "1048576", "--durability", "normal")


def holes(action: str) -> int:
    return json.dumps(FORMS[action]).count('"HOLE"')


def size_of(database: Path) -> int:
    """With its log."""
    return sum(path.stat().st_size for path in database.parent.glob(f"{database.name}*"))


def memory_of(server: Server) -> int:
    """Resident bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return KIB * int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


async def tell_all(charger: RawCharger, letter: str) -> dict[str, list[Any]]:
    """Each message once, its texts so large that the frame has 0.9 MB; no two are alike."""
    answers = {}
    for action in FORMS:
        beginning = f"{charger.identity}-{action}-"
        text = beginning + letter * (TEXT_BYTES // holes(action) // len(letter.encode()))
        filling = json.dumps(text, ensure_ascii=False).encode()
        answers[action] = await charger.exchange(action, filled(FORMS[action], filling))
    return answers


async def tell_more(charger: RawCharger, letter: str) -> int:
    """What is huge beside the fields, and a transaction; gives its id."""
    huge_id = "i" * TEXT_BYTES
    await charger.answer_to(huge_id, f'[2,"{huge_id}","Heartbeat",{{}}]')
    await charger.exchange("A" * TEXT_BYTES, {})
    await charger.send("[2," + "x" * TEXT_BYTES)
    started = await charger.start(minute(5), meter=2000, tag=letter * 100_000)
    await charger.stop(started, minute(30), meter=4000, idTag=letter * 100_000)
    return started


CHARGERS: Final = {
    f"{kind}-{number}": letter
    for kind, letter in {"letters": "A", "euros": "€", "hints-of-secrets": "key=://a:"}.items()
    for number in (1, 2)
}
"""What their texts are made of; none of them sends so much that it's held back for it."""


async def test_huge_texts_in_every_field_harm_nothing(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database, *_FLAGS, "--log-payloads", "on") as server:
        before = size_of(database)
        events: list[bytes] = []
        answers: list[dict[str, list[Any]]] = []
        booked: list[dict[str, Any]] = []
        async with httpx.AsyncClient(base_url=server.http_url, timeout=60, trust_env=False) as http:
            reading = asyncio.create_task(_read_events(http, events))
            for identity, letter in CHARGERS.items():
                async with dialled(server.ocpp_url, identity, {}) as charger:
                    answers.append(await tell_all(charger, letter))
                    started = await tell_more(charger, letter)
                found = (await http.get("/api/v1/transactions", params={"charge_point_id": identity})).json()["items"]
                assert len(found) == 2
                booked += [one for one in found if one["transaction_id"] == started]
            pages = {path: await http.get(path, params={"limit": 1000}) for path in _PAGES}
            samples = await http.get(f"/api/v1/transactions/{booked[-1]['transaction_id'] - 1}/meter-values")
            memory = memory_of(server)
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        await server.terminate()  # and with it the write-ahead log, whose size is bounded by itself
        grown = size_of(database) - before
        lines = list(server.lines)

    for answered in answers:
        assert {action for action, answer in answered.items() if answer[0] != 3} <= {"Authorize"} | _MAY_BE_REFUSED
    assert [(one["energy_wh"], one["id_tag"].endswith("…")) for one in booked] == [(2000, True)] * len(CHARGERS)
    assert grown < len(answers) * len(FORMS) * 24 * KIB
    assert memory < 300 * MIB
    assert all(page.status_code == 200 and len(page.content) < MIB for page in (*pages.values(), samples))
    assert max(len(line) for line in events) < 64 * KIB
    assert max(len(json.dumps(line, ensure_ascii=False).encode()) for line in lines) < 72 * KIB
    assert {line["charge_point_id"] for line in lines if "text_cut" in line.get("rules", {})} == set(CHARGERS)


_MAY_BE_REFUSED: Final = {
    *("DiagnosticsStatusNotification", "FirmwareStatusNotification", "LogStatusNotification"),
    *("SignedFirmwareStatusNotification", "StatusNotification", "BootNotification"),
}
"""Where a text of 0.9 MB is a status that there isn't."""

_PAGES: Final = (
    "/api/v1/charge-points",
    "/api/v1/transactions",
    "/api/v1/unmatched",
    "/api/v1/conformance",
    *(f"/api/v1/charge-points/{identity}/conformance" for identity in CHARGERS),
    "/api/v1/id-tags/unknown",
)


async def _read_events(http: httpx.AsyncClient, events: list[bytes]) -> None:
    async with http.stream("GET", "/api/v1/events", timeout=60) as response:
        async for line in response.aiter_lines():
            events.append(line.encode())  # noqa: PERF401  it's looked at meanwhile
