"""The connection to the broker: made again whenever it's lost. Needs the package aiomqtt."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple, TypeAlias

import aiomqtt
from structlog.typing import FilteringBoundLogger

from mcpp.plugins.builtin.mqtt.board import Board
from mcpp.plugins.builtin.mqtt.settings import Broker
from mcpp.plugins.builtin.mqtt.topics import Topics

_ANSWER_SECONDS: Final = 5.0
"""What the broker may take for an answer."""

_COMMANDS_AT_ONCE: Final = 32
"""More at the same time are refused, so that a flood of them costs no memory."""

_LONGEST_PAUSE: Final = 60.0


class Reply(NamedTuple):
    """What a command is answered, and where."""

    topic: str
    payload: bytes


Obey: TypeAlias = Callable[[str, bytes], Awaitable[Reply | None]]
"""Carries out what a message on a topic wants; doesn't raise."""


def backoff(failures: int) -> float:
    """Seconds to the next attempt."""
    return min(_LONGEST_PAUSE, 2.0**failures)


def _cause(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


class Link:
    """Publishes what stands on the board, and carries out what the broker's clients want."""

    def __init__(
        self,
        broker: Broker,
        topics: Topics,
        board: Board,
        obey: Obey | None,
        log: FilteringBoundLogger,
        backoff: Callable[[int], float] = backoff,
    ) -> None:
        """Without `obey` no commands are taken."""
        self._broker = broker
        self._topics = topics
        self._board = board
        self._obey = obey
        self._log = log.bind(broker=f"{broker.host}:{broker.port}")
        self._backoff = backoff
        self._tls = ssl.create_default_context() if broker.tls else None
        self._failures = 0
        self._running = 0

    async def run(self) -> None:
        """Never ends by itself."""
        while True:
            try:
                await self._session()
            except Exception as error:  # noqa: BLE001  whatever ends a session, there's a next one
                if not self._failures:
                    self._log.warning("mqtt_disconnected", category="error", error=_cause(error))
            await asyncio.sleep(self._backoff(self._failures))
            self._failures += 1

    async def _session(self) -> None:
        """One connection, from its beginning to its end, which is an exception: MqttError, alone or in a group."""
        async with self._client() as client, asyncio.TaskGroup() as tasks:
            if self._obey is not None:
                for topic in self._topics.commands:
                    await client.subscribe(topic, qos=1)
            self._log.info("mqtt_connected", category="system")
            self._failures = 0
            self._board.renew()
            tasks.create_task(self._publish(client))
            # Also without subscriptions: it's what notices the connection's end.
            async for message in client.messages:
                self._take(client, message, tasks)

    def _client(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username,
            password=self._broker.password,
            tls_context=self._tls,
            will=aiomqtt.Will(self._topics.status, b"offline", qos=1, retain=True),
            timeout=_ANSWER_SECONDS,
            max_queued_incoming_messages=_COMMANDS_AT_ONCE,
        )

    async def _publish(self, client: aiomqtt.Client) -> None:
        while True:
            topic, payload = await self._board.take()
            await client.publish(topic, payload, qos=1, retain=True)

    def _take(self, client: aiomqtt.Client, message: aiomqtt.Message, tasks: asyncio.TaskGroup) -> None:
        # A command that the broker kept is of some other day.
        if self._obey is None or message.retain or not isinstance(message.payload, bytes):
            return
        if self._running >= _COMMANDS_AT_ONCE:
            self._log.warning("mqtt_command_refused", category="error", topic=str(message.topic), error="too many")
            return
        self._running += 1
        tasks.create_task(self._carry_out(client, self._obey, str(message.topic), message.payload))

    async def _carry_out(self, client: aiomqtt.Client, obey: Obey, topic: str, payload: bytes) -> None:
        try:
            reply = await obey(topic, payload)
        finally:
            self._running -= 1
        if reply is not None:
            with suppress(aiomqtt.MqttError):
                await client.publish(reply.topic, reply.payload, qos=1)
