"""A thread with an event loop of its own, in which a plugin may do what it likes: block, raise, never end."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from threading import Thread
from typing import Final

_CANCEL_SECONDS: Final = 0.3
"""For what still runs to end when it's cancelled."""

_END_SECONDS: Final = 0.7
"""For the whole thread to end; one that is blocked is left behind."""

_SWITCH_SECONDS: Final = 0.0005
"""How long a thread that computes may keep the server's from running; Python's default is ten times that.

See docs/decisions/0014-plugin-threads.md for what it pays and costs.
"""


class LoopThread:
    """Runs a loop until it's stopped. A daemon, so that it can't hold up the end of the process."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._stopping = False
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._server = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._server.create_future()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Cancel what runs and end the thread, or leave it behind."""
        self._stopping = True
        self.loop.call_soon_threadsafe(self.loop.stop)
        await asyncio.wait((self._ended,), timeout=_END_SECONDS)

    def _run(self) -> None:
        while not self._stopping:
            # A task of the plugin's that calls sys.exit() means the process, but ends neither that nor the thread.
            with suppress(SystemExit, KeyboardInterrupt):
                self.loop.run_forever()
        with suppress(SystemExit, KeyboardInterrupt):
            self.loop.run_until_complete(_cancel_all())
        self.loop.close()
        # The server's loop may be gone by now.
        with suppress(RuntimeError):
            self._server.call_soon_threadsafe(self._ended.set_result, None)


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_CANCEL_SECONDS)
