"""What the benchmark's chargers send, and how samples of stacks are told apart; whole runs are in tests/acceptance."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import aiosqlite
import orjson
import pytest

import mcpp
from tools.bench.child import HERE
from tools.bench.messages import CONNECTORS, Charger, Frame, Workload
from tools.bench.steps import STEPS, step_of

ACCEPTED = b'[3,"id",{"transactionId": 7, "idTagInfo":{"status":"Accepted"}}]'


def action(frame: Frame) -> str:
    name: str = orjson.loads(frame)[2]
    return name


def test_the_mix_is_the_one_that_figures_are_stated_for() -> None:
    charger = Charger("CP000001", 1)
    make = charger.maker(Workload.MIXED)
    sent = Counter[str]()
    for _ in range(10_000):
        frame = make()
        assert frame is not None
        sent[action(frame)] += 1
        charger.answered(ACCEPTED)
    assert sent["StartTransaction"] - sent["StopTransaction"] in {0, 1}
    sessions = sent["StartTransaction"] + sent["StopTransaction"]
    shares = [sent["MeterValues"], sent["Heartbeat"], sent["StatusNotification"], sessions]
    assert [share / 10_000 for share in shares] == pytest.approx([0.6, 0.2, 0.15, 0.05], abs=0.01)


def test_meter_values_have_six_samples_in_about_720_bytes() -> None:
    frame = Charger("CP000001", 1).meter_values()
    assert len(orjson.loads(frame)[3]["meterValue"][0]["sampledValue"]) == 6
    assert 690 < len(frame) < 750


def test_what_was_started_is_stopped() -> None:
    charger = Charger("CP000001", 1)
    start, stop = charger.maker(Workload.START), charger.maker(Workload.STOP)
    started = 0
    while start() is not None:
        charger.answered(ACCEPTED.replace(b"7", str(100 + started).encode()))
        started += 1
    assert started == CONNECTORS
    stopped = []
    while (frame := stop()) is not None:
        stopped.append(orjson.loads(frame)[3]["transactionId"])
    assert stopped == list(range(100, 100 + CONNECTORS))


def test_an_echo_starts_transactions_too() -> None:
    charger = Charger("CP000001", 1)
    charger.answered(charger.start(1))
    assert action(charger.stop(1)) == "StopTransaction"


def test_message_ids_are_unique_and_as_long_as_uuids() -> None:
    charger = Charger("CP000001", 1)
    ids = [orjson.loads(charger.heartbeat())[1] for _ in range(3)]
    assert len(set(ids)) == 3
    assert {len(each) for each in ids} == {36}


def test_every_step_has_code_in_the_tree() -> None:
    root = Path(mcpp.__file__).parent
    files = (*root.rglob("*.py"), *(HERE / "generated").rglob("*.py"), Path(aiosqlite.__file__))
    assert {step_of(f"run ({file}:1)") for file in files} | {"begin, commit"} == set(STEPS)


@pytest.mark.parametrize(
    ("frames", "step"),
    [
        (["serve (/x/mcpp/server/serve.py:51)", "Runner.run (/y/asyncio/runners.py:118)"], "event loop and sockets"),
        (["Writer._run (/x/mcpp/storage/writer.py:216)", "handle (/x/mcpp/domain/energy.py:9)"], "domain"),
        (["handle (/x/mcpp/domain/energy.py:9)", "get (/x/mcpp_generated/db/queries.py:7)"], "SQL"),
        (["Database.commit (/x/mcpp/storage/sqlite/database.py:7)"], "begin, commit"),
        (["Writer._transact (/x/mcpp/storage/writer.py:7)"], "begin, commit"),
        (["Writer._finish (/x/mcpp/storage/writer.py:7)", "f (/y/asyncio/tasks.py:7)"], "to the writer and back"),
    ],
)
def test_the_innermost_frame_that_is_known_decides(frames: list[str], step: str) -> None:
    assert step_of(";".join(frames)) == step
