"""`/metrics` over HTTP: streamed, compressed where the scraper takes it, and over when the scraper leaves."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator

import pytest

from mcpp.telemetry.metrics.exposition import family
from tests.integration.api.support import Site


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ],
)
async def test_a_scrape_is_the_same_with_and_without_compression(api: Site, accept: str, content_type: str) -> None:
    lines = [f'many{{number="{number}"}} 1\n'.encode() for number in range(50_000)]
    api.metrics.watch_fleet(lambda: [family("many", "Many.", iter(lines))])
    texts = []
    for encoding in ("identity", "gzip"):
        async with api.http.stream(
            "GET", "/metrics", headers={"Accept": accept, "Accept-Encoding": encoding}
        ) as answer:
            assert answer.headers["content-type"] == content_type
            assert answer.headers.get("content-encoding", "identity") == encoding
            raw = b"".join([piece async for piece in answer.aiter_raw()])
        texts.append(raw if encoding == "identity" else gzip.decompress(raw))

    for text in texts:
        assert b"".join(lines) in text
        assert b"mcpp_build_info{" in text
        assert text.endswith(b"# EOF\n" if accept else lines[-1])


async def test_a_scraper_that_leaves_is_rendered_for_no_longer(api: Site) -> None:
    ended = asyncio.Event()

    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield b"endless 1\n"
        finally:
            ended.set()

    api.metrics.watch_fleet(lambda: [family("endless", "Endless.", endless())])
    async with api.http.stream("GET", "/metrics", headers={"Accept-Encoding": "identity"}) as answer:
        async for piece in answer.aiter_raw():
            if b"endless 1" in piece:
                break

    async with asyncio.timeout(10):
        await ended.wait()
    assert (await api.get("/healthz")).status_code == 200


async def test_others_are_answered_while_a_scrape_goes_on(api: Site) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"endless 1\n"

    api.metrics.watch_fleet(lambda: [family("endless", "Endless.", endless())])
    async with api.http.stream("GET", "/metrics") as answer:
        async for _ in answer.aiter_raw():
            break
        # Its reader stands still.
        assert (await api.get("/healthz")).status_code == 200
