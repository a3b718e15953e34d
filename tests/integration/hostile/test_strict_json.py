"""Whatever a charger says, everybody else gets strict JSON, and no answer is a 500."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from tests.examples import examples
from tests.integration.field_notes.charger import RawCharger
from tests.integration.field_notes.site import Central, central_system, until
from tests.integration.hostile.messages import FORMS, MUST_BE_ANSWERED, filled

FILLINGS: Final = {
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "a number beyond all": b"1e99999",
    "half a surrogate pair": rb'"\ud800 and \udc00"',
    "bytes that are no UTF-8": b'"\xff\xfe\xed\xa0\x80"',
    "NUL": rb'"\u0000a\u0000"',
    "what steers a terminal": rb'"\u001b[2J\r\n\u2028\u0085,\"=1+1"',
    "what a table program runs": b'"=HYPERLINK(1)"',
    "an object": b'{"a":[NaN,"\\ud800"]}',
    "deep lists": b"[" * 400 + b"]" * 400,
    "a long number": b"9" * 5000,
    "emptiness": b'""',
    "blanks": b'"  \\t "',
}


def strict(text: bytes) -> Any:
    """JSON by RFC 8259: UTF-8, and no NaN; neither has it half a surrogate pair, which has no UTF-8."""
    value = json.loads(text.decode(), parse_constant=_refuse)
    json.dumps(value, ensure_ascii=False).encode()
    return value


def _refuse(constant: str) -> NoReturn:
    raise AssertionError(f"{constant} is no JSON")


async def paths_of(central: Central) -> list[str]:
    """Every GET of the API, with the ids that there are."""
    document = (await central.http.get("/openapi.json")).json()
    paths = []
    transactions = await central.items("transactions")
    for path, operations in document["paths"].items():
        if "get" not in operations or path in {"/api/v1/events", "/readyz"}:
            continue
        if "{transaction_id}" in path:
            paths += [path.replace("{transaction_id}", str(one["transaction_id"])) for one in transactions]
        elif "/charge-points/{id}" in path:
            paths.append(path.replace("{id}", "CP-1"))
        elif "{" not in path:
            paths.append(path)
    return [*paths, "/api/v1/transactions.csv", "/api/v1/charge-points/NaN%00"]


async def look_everywhere(central: Central) -> None:
    """Ask for all that there is."""
    for path in await paths_of(central):
        response = await central.http.get(path)
        kind = response.headers.get("content-type", "")
        is_off = "firmware" in path or "uploads" in path  # the listener for files is
        assert response.status_code in ({409} if is_off else {200, 404}), (path, response.text[:500])
        if "json" in kind:
            strict(response.content)
        elif "csv" in kind:
            list(csv.reader(io.StringIO(response.content.decode()), strict=True))
    list(text_string_to_metric_families((await central.http.get("/metrics")).content.decode()))


@pytest.fixture
async def central(tmp_path: Path) -> AsyncIterator[Central]:
    async with central_system(tmp_path) as running:
        yield running


async def tell(charger: RawCharger, action: str, filling: bytes) -> list[Any]:
    return await charger.exchange(action, filled(FORMS[action], filling))


@pytest.mark.parametrize("filling", FILLINGS.values(), ids=FILLINGS.keys())
async def test_whatever_stands_in_every_field_everybody_gets_strict_json(central: Central, filling: bytes) -> None:
    told: list[bytes] = []

    async def read_events() -> None:
        async with central.http.stream("GET", "/api/v1/events", timeout=60) as response:
            listening.set()
            async for line in response.aiter_lines():
                told.append(line.encode())  # noqa: PERF401  it's looked at meanwhile

    listening = asyncio.Event()
    reader = asyncio.create_task(read_events())
    await listening.wait()
    async with central.dial() as charger:
        answers = {action: await tell(charger, action, filling) for action in FORMS}
        await central.command("GetConfiguration", {})
        await charger.say("Heartbeat", {})
    async with central.dial(
        answers={"GetConfiguration": lambda message_id: _configuration(message_id, filling)}
    ) as charger:
        await central.command("GetConfiguration", {})
        await charger.say("Heartbeat", {})
    await look_everywhere(central)

    async def all_told() -> bool:
        return any(b"charge_point_disconnected" in line for line in told)

    await until(all_told)
    reader.cancel()
    for action in MUST_BE_ANSWERED:
        assert answers[action][0] == 3, (action, answers[action])
    assert len(await central.items("transactions")) == 1
    for line in told:
        if line.startswith(b"data: "):
            strict(line.removeprefix(b"data: "))
    for line in central.log.read_bytes().splitlines():
        strict(line)


_WORDS = st.one_of(
    st.sampled_from([*FILLINGS.values(), b"null", b"true", b"-0.0", b'"key"', b'"value"', b'"password=a"']),
    st.lists(st.integers(0x20, 0xFF).filter(lambda byte: byte not in b'"\\'), max_size=30).map(
        lambda bytes_: b'"' + bytes(bytes_) + b'"'
    ),
    st.text(max_size=30).map(lambda text: json.dumps(text).encode()),
    st.from_regex(rb'"(\\u[0-9a-f]{4}|[a-z]){0,9}"', fullmatch=True),
)


@given(told=st.lists(st.tuples(st.sampled_from(sorted(FORMS)), _WORDS), min_size=1, max_size=30))
@examples(times=0.5)
def test_nothing_that_a_charger_makes_up_breaks_an_answer(told: list[tuple[str, bytes]]) -> None:
    async def tell_all(folder: str) -> None:
        async with central_system(Path(folder)) as central:
            async with central.dial() as charger:
                for action, filling in told:
                    answer = await tell(charger, action, filling)
                    assert answer[0] == 3 or action not in MUST_BE_ANSWERED, (action, filling, answer)
            await look_everywhere(central)
            for line in central.log.read_bytes().splitlines():
                strict(line)

    with TemporaryDirectory() as folder:
        asyncio.run(tell_all(folder))


def _configuration(message_id: str, filling: bytes) -> str:
    key = b'{"key":%b,"value":%b,"readonly":%b}' % (filling, filling, filling)
    frame = b'[3,"%b",{"configurationKey":[%b],"unknownKey":[%b]}]' % (message_id.encode(), key, filling)
    return frame.decode(errors="surrogateescape") if filling.isascii() else frame.decode(errors="replace")
