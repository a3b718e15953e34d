"""A real Prometheus with deploy/'s configuration, its targets and intervals replaced."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from tests.deploy.programs import DEPLOY
from tests.ports import free_port
from tests.programs import program

CONFIG: Final = DEPLOY / "prometheus" / "prometheus.yml"

Series = dict[str, Any]
"""A time series as Prometheus answers: `metric`, and `value` or `values`."""


class Prometheus:
    """Its HTTP API."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=20)

    async def ask(self, path: str, **parameters: str) -> Any:
        """The `data` of an answer, which must be a success."""
        answer = (await self._client.get(path, params=parameters)).json()
        assert answer["status"] == "success", (parameters, answer)
        return answer["data"]

    async def instant(self, expression: str) -> list[Series]:
        found: list[Series] = (await self.ask("/query", query=expression))["result"]
        return found

    async def is_ready(self) -> bool:
        try:
            return bool((await self._client.get("/status/runtimeinfo")).is_success)
        except httpx.TransportError:
            return False

    async def close(self) -> None:
        await self._client.aclose()


async def until(condition: Callable[[], Any], seconds: float, what: Callable[[], str]) -> None:
    """Wait until the awaited condition holds; else fail with what `what` says."""
    try:
        async with asyncio.timeout(seconds):
            while not await condition():
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(what()) from None


@asynccontextmanager
async def scraping(folder: Path, port: int) -> AsyncIterator[Prometheus]:
    """Prometheus with deploy/'s configuration and flags, which scrapes MCPP on this port every second."""
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump(_local(yaml.safe_load(CONFIG.read_text()), port)))
    url = f"127.0.0.1:{free_port()}"
    process = await asyncio.create_subprocess_exec(
        program("prometheus", "prometheus"),
        *(f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={url}"),
        *_features(),
        stderr=asyncio.subprocess.DEVNULL,
    )
    prometheus = Prometheus(f"http://{url}")
    try:
        await until(prometheus.is_ready, 30, lambda: "Prometheus isn't ready")
        yield prometheus
    finally:
        await prometheus.close()
        process.terminate()
        await process.wait()


def _local(config: dict[str, Any], port: int) -> dict[str, Any]:
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(CONFIG.parent / name) for name in config["rule_files"]]
    jobs = [job for job in config["scrape_configs"] if job["job_name"] == "mcpp"]
    for job in jobs:
        job["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    return config | {"scrape_configs": jobs}


def _features() -> list[str]:
    """What the compose file switches on."""
    command = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["prometheus"]["command"]
    return [flag for flag in command if re.match("--enable-feature=", flag)]
