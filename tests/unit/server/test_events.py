"""The event bus: who gets which events, in which order, and which needn't be made."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from unittest.mock import patch

import pytest
import structlog

from mcpp.api import event_stream
from mcpp.api.event_stream import EventFilter, EventStream, TooManyReaders
from mcpp.domain.events import (
    Event,
    HeartbeatReceived,
    MeterValuesReceived,
    SecurityEventReceived,
    TransactionRecovered,
    TransactionStarted,
    TransactionStopped,
)
from mcpp.domain.samples import Sample
from mcpp.reads.event_json import event_json
from mcpp.server.events import Events
from tests.events import DISCONNECTED, HEARTBEAT, MEASURED, RECOVERED, STOPPED


@dataclass
class Recorder:
    """Wants some kinds, and does something at each event."""

    kinds: tuple[type[Event], ...]
    react: Callable[[Event], None] = lambda _: None
    got: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        self.got.append(event)
        self.react(event)


def heartbeat(identity: str = "CP-1") -> Event:
    return replace(HEARTBEAT, charge_point_id=identity)


def disconnected(identity: str = "CP-1") -> Event:
    return replace(DISCONNECTED, charge_point_id=identity)


def overrun(events: Events) -> None:
    """More events than are kept."""
    while events.wanted[HeartbeatReceived]:
        events.publish([heartbeat()])


async def test_an_event_goes_to_those_who_want_its_kind_or_one_that_it_derives_from() -> None:
    events = Events()
    heartbeats, stops = Recorder((HeartbeatReceived,)), Recorder((TransactionStopped, TransactionStarted))
    recoveries, everything = Recorder((TransactionRecovered,)), Recorder((Event,))
    events.subscribe(heartbeats, stops, recoveries, everything)
    sent = [heartbeat(), STOPPED, RECOVERED, disconnected()]
    events.publish(sent)

    assert heartbeats.got == sent[:1]
    assert stops.got == sent[1:3]
    assert recoveries.got == sent[2:3]
    assert everything.got == sent


async def test_a_subscriber_that_fails_harms_no_other_and_is_logged() -> None:
    def fail(_: Event) -> None:
        raise RuntimeError("the subscriber's fault")

    events = Events()
    other = Recorder((HeartbeatReceived,))
    events.subscribe(Recorder((HeartbeatReceived,), fail), other)
    with structlog.testing.capture_logs() as lines:
        events.publish([heartbeat("CP-1"), heartbeat("CP-2")])

    assert [event.charge_point_id for event in other.got] == ["CP-1", "CP-2"]
    assert [line["event"] for line in lines] == ["subscriber_failed"] * 2


async def test_what_a_subscriber_publishes_comes_to_everybody_after_what_set_it_off() -> None:
    events = Events()

    def react(event: Event) -> None:
        if isinstance(event, HeartbeatReceived):
            events.publish([disconnected()])

    first = Recorder((Event,), react)
    second = Recorder((Event,))
    events.subscribe(first, second)
    events.publish([heartbeat("CP-1"), heartbeat("CP-2")])
    async with asyncio.timeout(10):
        while len(second.got) < 4:
            await asyncio.sleep(0)

    assert first.got == second.got == [heartbeat("CP-1"), heartbeat("CP-2"), disconnected(), disconnected()]


async def test_who_subscribes_later_gets_what_happens_from_then_on() -> None:
    events = Events(most_recent=1)
    overrun(events)
    assert not events.wanted[HeartbeatReceived]
    assert not events.wanted[SecurityEventReceived]
    late = Recorder((HeartbeatReceived,))
    events.subscribe(late)
    assert events.wanted[HeartbeatReceived]
    assert not events.wanted[SecurityEventReceived]
    events.publish([heartbeat("CP-2")])

    assert late.got == [heartbeat("CP-2")]


async def test_the_stream_needs_every_event_until_it_is_overrun_unread() -> None:
    events = Events(most_recent=3)
    stream = EventStream(events)
    for number in range(3):
        assert events.wanted[HeartbeatReceived]
        events.publish([heartbeat(f"CP-{number}")])
    assert not events.wanted[HeartbeatReceived]

    async with aclosing(stream.read("an-id-of-an-earlier-process")) as reader:
        assert b"event: gap" in await anext(reader)
        assert (await anext(reader)).count(b"event: heartbeat_received") == 3


@pytest.mark.parametrize("when", ["at once", "once overrun"])
async def test_the_stream_needs_every_event_once_somebody_has_read(when: str) -> None:
    events = Events(most_recent=3)
    stream = EventStream(events)
    if when == "once overrun":
        overrun(events)
    async with aclosing(stream.read()) as reader:
        waits = asyncio.ensure_future(anext(reader))
        await asyncio.sleep(0)
        assert events.wanted[HeartbeatReceived]
        events.publish([heartbeat("CP-2")])
        assert b"CP-2" in await waits
    for _ in range(10):
        assert events.wanted[HeartbeatReceived]
        events.publish([heartbeat()])


async def test_a_stream_that_nobody_reads_keeps_what_is_made_for_others() -> None:
    events = Events(most_recent=3)
    stream = EventStream(events)
    overrun(events)
    events.publish([disconnected("CP-7"), disconnected("CP-8"), disconnected("CP-9")])

    async with aclosing(stream.read("an-id-of-an-earlier-process")) as reader:
        assert b"event: gap" in await anext(reader)
        kept = await anext(reader)
    assert [identity in kept for identity in (b"CP-7", b"CP-8", b"CP-9", b"CP-1")] == [True, True, True, False]


def large(number: int) -> Event:
    """Some 100 KB."""
    samples = [replace_value(MEASURED.samples[0], f"{number}" * 100_000)]
    return replace(MEASURED, connector_id=number, samples=samples)


def replace_value(sample: Sample, value: str) -> Sample:
    return sample._replace(value=value)


async def test_recent_events_are_bounded_in_bytes_and_the_last_one_is_always_there() -> None:
    events = Events(most_bytes=350_000)
    for number in range(8):
        events.publish([large(number)])
    assert [event.connector_id for event in events.recent if isinstance(event, MeterValuesReceived)] == [5, 6, 7]

    events.publish([heartbeat()] * 500)
    assert len(events.recent) < 500
    events = Events(most_bytes=10)
    events.publish([large(1)])
    assert list(events.recent) == [large(1)]
    assert events.count == 1


async def test_an_event_is_encoded_once_for_all_readers() -> None:
    events = Events()
    stream = EventStream(events)
    readers = [stream.read() for _ in range(3)]
    firsts = [asyncio.ensure_future(anext(reader)) for reader in readers]
    await asyncio.sleep(0)
    with patch("mcpp.api.event_stream.event_json", wraps=event_json) as encode:
        events.publish([heartbeat(), disconnected()])
        chunks = await asyncio.gather(*firsts)
    for reader in readers:
        await reader.aclose()

    assert (len(set(chunks)), encode.call_count) == (1, 2)


async def test_no_more_than_so_many_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "EVENT_STREAMS", 2)
    events = Events()
    stream = EventStream(events, heartbeat=0.001)
    readers = [stream.read() for _ in range(2)]
    for reader in readers:
        assert await anext(reader) == b": heartbeat\n\n"
    with pytest.raises(TooManyReaders, match="2 streams"):
        stream.read()

    await readers[0].aclose()
    async with aclosing(stream.read()) as third:
        assert await anext(third) == b": heartbeat\n\n"
    await readers[1].aclose()


async def test_a_line_end_of_other_programs_stays_within_its_line() -> None:
    events = Events()
    async with aclosing(EventStream(events).read()) as reader:
        first = asyncio.ensure_future(anext(reader))
        await asyncio.sleep(0)
        events.publish([heartbeat("a\u2028b\u2029c\x85d")])
        chunk = (await first).decode()

    (data,) = [line for line in chunk.splitlines() if line.startswith("data: ")]
    assert json.loads(data.removeprefix("data: "))["charge_point_id"] == "a\u2028b\u2029c\x85d"


HEARTBEATS = EventFilter(frozenset({HeartbeatReceived}))
SECURITY = EventFilter(frozenset({SecurityEventReceived}))


async def test_a_filter_by_name_has_only_those_events_made() -> None:
    events = Events(most_recent=2)
    stream = EventStream(events)
    overrun(events)
    async with aclosing(stream.read(None, HEARTBEATS)) as reader:
        waits = asyncio.ensure_future(anext(reader))
        await asyncio.sleep(0)
        assert events.wanted[HeartbeatReceived]
        assert not events.wanted[SecurityEventReceived]
        events.publish([disconnected("CP-1"), heartbeat("CP-2")])
        assert b"CP-1" not in await waits


async def test_who_wants_little_is_not_overtaken_by_what_others_want() -> None:
    events = Events(most_recent=3)
    stream = EventStream(events, heartbeat=0.01)
    async with aclosing(stream.read(None, HEARTBEATS)) as reader:
        waits = asyncio.ensure_future(anext(reader))
        await asyncio.sleep(0)
        for _ in range(10):
            events.publish([disconnected()])
        place = await waits
        assert place.startswith(b": heartbeat\nid: ")
        assert b"data:" not in place
        for _ in range(10):
            events.publish([disconnected()])
        events.publish([heartbeat("CP-7")])
        assert b"CP-7" in await anext(reader)
        for number in range(4):  # one more than are kept
            events.publish([heartbeat(f"CP-{number}")])
        with pytest.raises(StopAsyncIteration):
            await anext(reader)


async def test_the_place_of_a_filtered_reader_is_where_it_goes_on() -> None:
    events = Events(most_recent=5)
    stream = EventStream(events, heartbeat=0.01)
    async with aclosing(stream.read(None, HEARTBEATS)) as reader:
        waits = asyncio.ensure_future(anext(reader))
        await asyncio.sleep(0)
        for _ in range(10):
            events.publish([disconnected()])
        await waits
        place = (await anext(reader)).decode().split("id: ")[1].strip()
    events.publish([disconnected(), heartbeat("CP-8")])

    async with aclosing(stream.read(place, HEARTBEATS)) as reader:
        missed = await anext(reader)
    assert b"gap" not in missed
    assert b"CP-8" in missed


async def test_what_was_not_made_while_nobody_wanted_it_is_a_gap() -> None:
    events = Events(most_recent=5)
    stream = EventStream(events)
    for _ in range(6):
        events.publish([disconnected()])
    async with aclosing(stream.read(None, HEARTBEATS)) as reader:
        waits = asyncio.ensure_future(anext(reader))
        await asyncio.sleep(0)
        events.publish([heartbeat()])
        number = (await waits).decode().split("id: ")[1].split("\n")[0]
    events.publish([heartbeat()])

    async with aclosing(stream.read(number, SECURITY)) as reader:
        assert b"event: gap" in await anext(reader)
    async with aclosing(stream.read(number, HEARTBEATS)) as reader:
        assert b"event: gap" not in await anext(reader)
