"""What a plugin's hook may do wrong."""

from __future__ import annotations

import asyncio


async def raises() -> None:
    raise RuntimeError("the plugin's fault")


async def cancels() -> None:
    task = asyncio.ensure_future(asyncio.Event().wait())
    task.cancel()
    await task


async def exits() -> None:
    raise SystemExit(3)


async def waits_for_ever() -> None:
    await asyncio.Event().wait()
