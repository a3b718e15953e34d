"""The event bus: who gets which events, in which order, and which needn't be made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import pytest
import structlog

from mcpp.api.event_stream import EventStream
from mcpp.domain.events import (
    Event,
    HeartbeatReceived,
    SecurityEventReceived,
    TransactionRecovered,
    TransactionStarted,
    TransactionStopped,
)
from mcpp.server.events import Events
from tests.events import DISCONNECTED, HEARTBEAT, RECOVERED, STOPPED


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
