"""The short form of fuzzing, whose failures shrink; `make fuzz` takes two million frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpp.csms.version import KnownVersion
from mcpp.ocppj.session import Session
from mcpp.server.versions import VERSIONS
from tests.campaigns.fuzz import Target, fuzz_here
from tests.campaigns.live_fuzz import fuzz_live
from tests.campaigns.mutants import COMMANDS, VALID, frame, spoiled, written
from tests.examples import examples


@pytest.fixture
def target() -> Iterator[Target]:
    target = Target()
    yield target
    target.close()


def test_every_frame_is_answered_or_refused_by_rule() -> None:
    fuzzed = fuzz_here(3000, "short")

    assert fuzzed.defects == []
    assert fuzzed.frames == 3000
    # The fuzz that only bounces off the door proves nothing.
    for outcome in ("answered", "refused", "understood", "invalid_answer", "format_violation"):
        assert fuzzed.outcomes[outcome] > 20, fuzzed.outcomes


@pytest.mark.parametrize("action", VALID)
@examples(times=0.5)
@given(random=st.randoms(use_true_random=False), times=st.integers(0, 6))
def test_a_spoiled_payload_is_repaired_or_refused(action: str, random: Random, times: int) -> None:
    target = Target()
    try:
        payload = VALID[action](random)
        for _ in range(times):
            payload = spoiled(random, payload)
        target.receive(written([2, "1", action, payload]))
    finally:
        target.close()


@examples(times=2)
@given(random=st.randoms(use_true_random=False), version=st.sampled_from(VERSIONS))
def test_a_spoiled_answer_is_understood_or_not(random: Random, version: KnownVersion) -> None:
    target = Target(version)
    try:
        target.receive(target.answered_by(random))
    finally:
        target.close()


@examples(times=5)
@given(data=st.one_of(st.binary(), st.randoms(use_true_random=False).map(frame)))
def test_a_session_takes_any_bytes(data: bytes) -> None:
    Session(call_timeout=30, queue_limit=1).receive(data)


@pytest.mark.parametrize("action", VALID)
def test_what_is_spoiled_was_right_before(target: Target, action: str) -> None:
    outcome = target.receive(written([2, "1", action, VALID[action](Random(action))]))

    assert outcome in ("answered", "not_implemented" if action == "NoSuchAction" else "not_supported")


@pytest.mark.parametrize("version", VERSIONS[1:], ids=lambda version: version.name)
def test_what_is_spoiled_of_stations_was_right_before(version: KnownVersion) -> None:
    target = Target(version)
    try:
        outcomes = {
            action: target.receive(
                written([6 if action in target.words.sends else 2, "1", action, say(Random(action))])
            )
            for action, say in target.words.calls.items()
        }
        for action in target.words.commands:
            assert target.ask_for(action)
            target.forget_call()
    finally:
        target.close()

    wrong = {action: outcome for action, outcome in outcomes.items() if outcome not in ("answered", "heard")}
    assert wrong == {"Reset": "not_supported", "NoSuchAction": "not_implemented"}


@pytest.mark.parametrize("action", COMMANDS)
def test_commands_meet_the_contract(target: Target, action: str) -> None:
    assert target.ask_for(action)


def test_a_live_server_takes_them_beside_a_healthy_neighbour(tmp_path: Path) -> None:
    live = fuzz_live(tmp_path, 4, Random("short"), timed=False)

    assert live.faults == [], live.summary
