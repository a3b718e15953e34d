"""Whatever a charger says, everybody else gets strict JSON, and no answer is a 500."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest
import pytest_asyncio
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


async def paths_of(central: Central, identity: str) -> list[str]:
    """Every GET of the API, with the ids that there are of this charge point."""
    document = (await central.http.get("/openapi.json")).json()
    paths = []
    transactions = await central.items("transactions", charge_point_id=identity)
    for path, operations in document["paths"].items():
        if "get" not in operations or path in {"/api/v1/events", "/readyz"}:
            continue
        if "{transaction_id}" in path:
            paths += [path.replace("{transaction_id}", str(one["transaction_id"])) for one in transactions]
        elif "/charge-points/{id}" in path:
            paths.append(path.replace("{id}", identity).replace("{request_id}", "1"))
        elif "{" not in path:
            paths.append(path)
    return [*paths, "/api/v1/transactions.csv", "/api/v1/charge-points/NaN%00"]


async def look_everywhere(central: Central, identity: str) -> None:
    """Ask for all that there is."""
    for path in await paths_of(central, identity):
        response = await central.http.get(path)
        kind = response.headers.get("content-type", "")
        is_off = "firmware" in path or "uploads" in path  # the listener for files is
        assert response.status_code in ({409} if is_off else {200, 404}), (path, response.text[:500])
        if "json" in kind:
            strict(response.content)
        elif "csv" in kind:
            list(csv.reader(io.StringIO(response.content.decode()), strict=True))
    list(text_string_to_metric_families((await central.http.get("/metrics")).content.decode()))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def central(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Central]:
    """One for all: each test has a charger of its own."""
    async with central_system(tmp_path_factory.mktemp("hostile")) as running:
        yield running


async def tell(charger: RawCharger, action: str, filling: bytes) -> list[Any]:
    return await charger.exchange(action, filled(FORMS[action], filling))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", FILLINGS)
async def test_whatever_stands_in_every_field_everybody_gets_strict_json(central: Central, kind: str) -> None:
    filling, identity = FILLINGS[kind], kind.replace(" ", "-")
    told: list[bytes] = []

    async def read_events() -> None:
        async with central.http.stream("GET", "/api/v1/events", timeout=60) as response:
            listening.set()
            async for line in response.aiter_lines():
                told.append(line.encode())  # noqa: PERF401  it's looked at meanwhile

    listening = asyncio.Event()
    reader = asyncio.create_task(read_events())
    await listening.wait()
    async with central.dial(identity) as charger:
        answers = {action: await tell(charger, action, filling) for action in FORMS}
        await central.command("GetConfiguration", {}, identity)
        await charger.say("Heartbeat", {})
    async with central.dial(
        identity, answers={"GetConfiguration": lambda message_id: _configuration(message_id, filling)}
    ) as charger:
        await central.command("GetConfiguration", {}, identity)
        await charger.say("Heartbeat", {})
    await look_everywhere(central, identity)

    async def all_told() -> bool:
        return any(b"charge_point_disconnected" in line for line in told)

    await until(all_told)
    reader.cancel()
    for action in MUST_BE_ANSWERED:
        assert answers[action][0] == 3, (action, answers[action])
    assert len(await central.items("transactions", charge_point_id=identity)) == 1
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


def test_nothing_that_a_charger_makes_up_breaks_an_answer(tmp_path: Path) -> None:
    """Each example has a charger of its own, at one server for all."""
    numbers, seen = count(1), 0

    async def tell_all(told: list[tuple[str, bytes]]) -> None:
        nonlocal seen
        identity = f"CP-{next(numbers)}"
        async with central.dial(identity) as charger:
            for action, filling in told:
                answer = await tell(charger, action, filling)
                assert answer[0] == 3 or action not in MUST_BE_ANSWERED, (action, filling, answer)
        await look_everywhere(central, identity)
        news = central.log.read_bytes()[seen:]
        seen += news.rfind(b"\n") + 1
        for line in news[: news.rfind(b"\n") + 1].splitlines():
            strict(line)

    @given(told=st.lists(st.tuples(st.sampled_from(sorted(FORMS)), _WORDS), min_size=10, max_size=60))
    @examples(times=0.15)
    def tell_anything(told: list[tuple[str, bytes]]) -> None:
        runner.run(tell_all(told))

    with asyncio.Runner() as runner:
        running = AsyncExitStack()
        central = runner.run(running.enter_async_context(central_system(tmp_path)))
        try:
            tell_anything()
        finally:
            runner.run(running.aclose())


def _configuration(message_id: str, filling: bytes) -> str:
    key = b'{"key":%b,"value":%b,"readonly":%b}' % (filling, filling, filling)
    frame = b'[3,"%b",{"configurationKey":[%b],"unknownKey":[%b]}]' % (message_id.encode(), key, filling)
    return frame.decode(errors="surrogateescape") if filling.isascii() else frame.decode(errors="replace")
