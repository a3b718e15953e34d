"""Spoiled frames, by the million through session, router, handlers and a database in memory.

Whatever the frame is, it's answered or refused by rule: an InternalError is a mistake of ours. Chargers of all versions
take turns.

Usage: python -m tests.campaigns.fuzz [--frames 2000000] [--seed 1] [--live-seconds 120]. A real server follows, with a
healthy neighbour. Each defect is printed with its frame and its seed; exits with 1 where there is one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Final, cast

from pydantic import BaseModel

from mcpp.csms.version import KnownVersion
from mcpp.ocpp16.known import KNOWN as OCPP16
from mcpp.ocppj.actions import AnyAction, decode
from mcpp.ocppj.errors import CallFault, InvalidAnswer
from mcpp.ocppj.flow import Direction, Flow, Peer, new_correlation_id
from mcpp.ocppj.frames import Call, CallError, CallResult, Send, encode
from mcpp.ocppj.session import Answered, MalformedFrame, Session
from mcpp.server.versions import VERSIONS
from mcpp.storage.pending import Pending
from tests.campaigns.live_fuzz import fuzz_live
from tests.campaigns.mutants import WORDS_16, answer_to, frame
from tests.campaigns.mutants2 import words_of
from tests.walks.central import IDENTITY, Central

FRESH_AFTER: Final = 1000
"""Frames after which memory and books are new, so that a failure is found again within seconds."""

_BEGIN = datetime(2026, 5, 1, 12, tzinfo=UTC)
_OWN_CALLS: Final = 0.1
"""How often the server has a CALL of its own to be answered."""


@dataclass(frozen=True)
class Defect:
    """A frame that the server couldn't take."""

    seed: str
    number: int
    frame: bytes
    error: str


@dataclass
class Fuzzed:
    """What came of the frames."""

    frames: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    defects: list[Defect] = field(default_factory=list)


class Target(Central):
    """The server without sockets and threads, which takes whole frames; it raises what would be an InternalError."""

    def __init__(self, version: KnownVersion = OCPP16) -> None:
        super().__init__(_BEGIN, version)
        self.words = WORDS_16 if version is OCPP16 else words_of(version.name)
        self.connect()
        self._actions = version.import_room().actions
        self._session = Session(call_timeout=30, queue_limit=32, framing=version.framing)
        self._requests: dict[str, tuple[AnyAction, BaseModel]] = {}
        self._calls = count(1)

    def answered_by(self, random: Random) -> bytes:
        """Send any CALL of ours; gives the text of an answer to it."""
        action = random.choice(list(self.words.commands))
        return answer_to(random, self.ask_for(action), self.words, action)

    def ask_for(self, name: str) -> str:
        """Send a CALL of ours; gives its UniqueId."""
        action = self._actions[name]
        payload = json.dumps(self.words.commands[name]).encode()
        call = Call(f"own-{next(self._calls)}", name, payload)
        self._requests[call.message_id] = action, decode(action.request, payload)
        self._session.submit(call)
        self._session.call_to_send(0)
        return call.message_id

    def receive(self, data: bytes) -> str:
        """One frame; gives what came of it in a word."""
        self.now += timedelta(milliseconds=100)
        event = self._session.receive(data)
        if isinstance(event, Call):
            return self._call(event)
        if isinstance(event, Send):
            return self._heard(event)
        if isinstance(event, Answered):
            return self._answered(event)
        if isinstance(event, MalformedFrame):
            if event.call is not None:
                del self._requests[event.call.message_id]
            if event.answer_id is not None:
                _sent(CallError(event.answer_id, self._dialect.spell(event.error.code), str(event.error)))
            return "refused"
        return "stray"

    def forget_call(self) -> None:
        """Let the CALL of ours run out of time, if it wasn't answered."""
        expired = self._session.expire(31)
        if expired is not None:
            del self._requests[expired.message_id]

    def _call(self, call: Call) -> str:
        flow = self._flow(Direction.IN, call)
        try:
            answer = self._dialect.handle(flow, call)
            payload = answer if isinstance(answer, bytes) else _outcome(answer)
        except CallFault as fault:
            details = json.dumps(fault.details, default=str).encode()
            _sent(CallError(call.message_id, self._dialect.spell(fault.code), fault.description, details))
            return fault.code.name.lower()
        _sent(CallResult(call.message_id, payload))
        if flow.after_answer is not None:
            flow.after_answer()
        return "answered"

    def _heard(self, send: Send) -> str:
        """What is never answered, whatever it is."""
        flow = self._flow(Direction.IN, send)
        flow.is_send = True
        try:
            answer = self._dialect.handle(flow, send)
            if not isinstance(answer, bytes):
                _outcome(answer)
        except CallFault:
            return "send_refused"
        if flow.after_answer is not None:
            flow.after_answer()
        return "heard"

    def _answered(self, answered: Answered) -> str:
        action, request = self._requests.pop(answered.call.message_id)
        flow = self._flow(Direction.OUT, answered.call)
        if isinstance(answered.answer, CallError):
            json.loads(answered.answer.details)
            return "call_error"
        try:
            response = self._dialect.decode_response(flow, action.response, answered.answer.payload)
        except InvalidAnswer:
            return "invalid_answer"
        applied = self._dialect.answered(flow, request, response)
        if applied is not None:
            _outcome(applied)
        return "understood"

    def _flow(self, direction: Direction, call: Call | Send) -> Flow:
        peer = Peer(self._connections[IDENTITY].key, IDENTITY)
        return Flow(
            peer, direction, call.action, call.message_id, new_correlation_id(), 0.0, len(call.payload), call.payload
        )


def _outcome(answer: Awaitable[bytes] | Awaitable[None]) -> bytes:
    """The writer works at once, so nothing is waited for."""
    if isinstance(answer, Pending):
        return cast("bytes", answer.result())
    try:
        answer.__await__().send(None)
    except StopIteration as done:
        return cast("bytes", done.value)
    raise AssertionError("a handler waits for something")


def _sent(answer: CallResult | CallError) -> None:
    """What goes out must be JSON in UTF-8, since a charger that can't read its answer repeats its message."""
    json.loads(encode(answer).decode(), parse_constant=_no_json)


def _no_json(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def fuzz(frames: int, seed: str) -> Iterator[Fuzzed]:
    """So many frames; tells how far it has come whenever memory and books are new."""
    fuzzed = Fuzzed()
    for turn in count():
        random = Random(f"{seed}-{turn}")
        target = Target(VERSIONS[turn % len(VERSIONS)])
        try:
            for _ in range(min(FRESH_AFTER, frames - fuzzed.frames)):
                is_own = random.random() < _OWN_CALLS
                data = target.answered_by(random) if is_own else frame(random, target.words)
                try:
                    fuzzed.outcomes[target.receive(data)] += 1
                    target.forget_call()
                except Exception as error:  # noqa: BLE001  whatever it is, and also what the charger would repeat for ever
                    fuzzed.defects.append(Defect(seed, fuzzed.frames, data, _told(error)))
                fuzzed.frames += 1
        finally:
            target.close()
        yield fuzzed
        if fuzzed.frames >= frames:
            return


def _told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-3000:]


def fuzz_here(frames: int, seed: str) -> Fuzzed:
    """All of them, for a process of its own."""
    *_, fuzzed = fuzz(frames, seed)
    return fuzzed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.fuzz", description=__doc__)
    parser.add_argument("--frames", type=int, default=2_000_000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--live-seconds", type=float, default=120.0, help="how long a real server is fuzzed")
    given = parser.parse_args()
    _print(f"seed {given.seed}: {given.frames} frames in {given.workers} processes, then {given.live_seconds:g} s live")
    began = time.monotonic()
    total = Fuzzed()
    portion = 20_000
    with ProcessPoolExecutor(given.workers, multiprocessing.get_context("spawn")) as pool:
        portions = [min(portion, given.frames - begin) for begin in range(0, given.frames, portion)]
        seeds = [f"{given.seed}-{number}" for number in range(len(portions))]
        for fuzzed in pool.map(fuzz_here, portions, seeds):
            total.frames += fuzzed.frames
            total.outcomes += fuzzed.outcomes
            total.defects += fuzzed.defects
            for defect in fuzzed.defects:
                _print(f"seed {defect.seed}, frame {defect.number}: {defect.frame[:2000]!r}", defect.error)
            if total.frames % 200_000 < portion:
                _print(f"{total.frames} frames in {time.monotonic() - began:.0f} s, {len(total.defects)} defects")
    _print(*(f"{count:>9} {outcome}" for outcome, count in total.outcomes.most_common()))
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        live = fuzz_live(Path(folder), given.live_seconds, Random(f"{given.seed}-live"))
    _print(live.summary, *live.faults[:10])
    return 1 if total.defects or live.faults else 0


def _print(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
