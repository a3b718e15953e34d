"""What this machine is called."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import Final

_RESOLVER_SECONDS: Final = 1.0
"""For the full name: where the name service hangs, the short one has to do."""


async def machine_names() -> tuple[str, ...]:
    """Its host name, in full where that is known, and as machines of the same network find it (mDNS, RFC 6762)."""
    name = socket.gethostname()
    short = name.partition(".")[0]
    names = [name, short, f"{short}.local", await _full_name(name)]
    return tuple(dict.fromkeys(name for name in names if name))


async def _full_name(name: str) -> str:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def take(full: str) -> None:
        if not answer.done():  # or it came too late
            answer.set_result(full)

    def ask() -> None:
        full = socket.getfqdn(name)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(take, full)

    # A daemon, unlike the loop's own threads: a name service that hangs must not hold up the end of the process.
    threading.Thread(target=ask, name="machine-name", daemon=True).start()
    try:
        async with asyncio.timeout(_RESOLVER_SECONDS):
            return await answer
    except TimeoutError:
        return ""
