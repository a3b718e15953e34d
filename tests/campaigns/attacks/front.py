"""What attacks have in common: what an attacker knows, and how it goes on.

Attackers come through a proxy that the server trusts, so that they have an address that limits count by.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from random import Random
from typing import Final, TypeAlias

from pydantic import JsonValue

from tests.campaigns.line import Line, NotLetIn, charger

ADDRESS: Final = "203.0.113.66"
PAUSE: Final = 0.02
"""Seconds that somebody who was thrown out waits before it comes again."""

TIME: Final = "2026-05-01T12:00:00Z"


@dataclass
class Front:
    """What an attacker knows, and the choices it makes."""

    ocpp_port: int
    http_url: str
    database: Path
    random: Random
    sent: int = 0
    """Frames, parts of frames or connections, whatever the attack consists of."""
    numbers: Iterator[int] = field(default_factory=count)

    @cached_property
    def headers(self) -> dict[str, str]:
        return {"X-Forwarded-For": ADDRESS}


Attack: TypeAlias = Callable[[Front], Coroutine[None, None, None]]
Talk: TypeAlias = Callable[[Line], Awaitable[None]]

ATTACKS: Final[dict[str, Attack]] = {}


def attack(function: Attack) -> Attack:
    """One of the attacks, by its name."""
    ATTACKS[getattr(function, "__name__", "")] = function
    return function


async def keep_talking(
    front: Front, lines: int, talk: Talk, *, reads: bool = True, name: str = "BAD", version: str = "1.6"
) -> None:
    """So many connections, each of a charger of its own; whoever is thrown out comes again."""

    headers = front.headers | {"Sec-WebSocket-Protocol": f"ocpp{version}"}

    async def one(number: int) -> None:
        while True:
            with suppress(OSError, NotLetIn, TimeoutError):
                async with charger(front.ocpp_port, f"{name}-{number}", headers, reads=reads) as line:
                    await talk(line)
            await asyncio.sleep(PAUSE)

    await asyncio.gather(*map(one, range(lines)))


async def repeat(front: Front, line: Line, make: Callable[[], bytes], at_once: int = 1) -> None:
    while True:
        await line.send(make())
        front.sent += at_once


def entry(value: str, **others: JsonValue) -> JsonValue:
    return {"timestamp": TIME, "sampledValue": [{"value": value, **others}]}
