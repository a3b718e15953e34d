from __future__ import annotations

import asyncio
from time import perf_counter

from mcpp.telemetry.loop_lag import LoopLag


async def test_a_blocked_loop_shows_in_the_samples() -> None:
    samples: asyncio.Queue[float] = asyncio.Queue()
    lag = LoopLag(samples.put_nowait, interval=0.01)
    lag.start()
    blocked_until = perf_counter() + 0.2
    while perf_counter() < blocked_until:
        pass
    first = await samples.get()
    later = [await samples.get() for _ in range(3)]
    lag.stop()

    assert first >= 0.18
    assert min(later) >= 0


async def test_nothing_is_sampled_after_the_end() -> None:
    samples: list[float] = []
    lag = LoopLag(samples.append, interval=0.001)
    lag.start()
    lag.stop()
    lag.stop()
    ticked = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, ticked.set)
    await ticked.wait()

    assert samples == []
