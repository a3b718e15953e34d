"""A real MQTT broker, and another client of it, as Home Assistant is one."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
from iotcore import Broker

PATIENCE = 20.0


class Client:
    """Another client of the broker, as Home Assistant is one."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self.last: dict[str, bytes] = {}

    async def until(self, topic: str, fits: Callable[[Any], bool] = lambda _: True) -> Any:
        """The last message on a topic, as soon as it fits; JSON where it is some."""
        async with asyncio.timeout(PATIENCE):
            while True:
                value = self._value(topic)
                if value is not None and fits(value):
                    return value
                message = await anext(self._client.messages)
                assert isinstance(message.payload, bytes)
                self.last[str(message.topic)] = message.payload

    async def say(self, topic: str, payload: str, *, retain: bool = False) -> None:
        await self._client.publish(topic, payload, qos=1, retain=retain)

    def _value(self, topic: str) -> Any:
        payload = self.last.get(topic)
        return json.loads(payload) if payload is not None and payload.startswith((b"{", b"[")) else payload


@asynccontextmanager
async def connected_client(port: int) -> AsyncIterator[Client]:
    """A client that hears everything, for the block."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("#", qos=1)
        yield Client(client)


@asynccontextmanager
async def running_broker() -> AsyncIterator[Broker]:
    """A broker on a free port, in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    broker = Broker(port=port, listen="127.0.0.1")
    await asyncio.to_thread(broker.start)
    try:
        yield broker
    finally:
        await asyncio.to_thread(broker.stop)
