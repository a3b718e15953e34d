"""The HTTP listener: its socket, its start and its end."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import closing, suppress

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from mcpp.api.http_server import HttpServer


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("hello")(scope, receive, send)


class Slow:
    """Answers when it's told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        await self.answer.wait()
        await hello(scope, receive, send)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
async def test_port_0_takes_a_free_one_and_says_which(host: str) -> None:
    server = HttpServer(hello, host, 0)
    port = await server.start()
    async with httpx.AsyncClient(trust_env=False) as http:
        response = await http.get(f"http://127.0.0.1:{port}/")
    await server.stop()

    assert port > 0
    assert response.text == "hello"
    assert "server" not in response.headers


async def test_a_busy_port_is_an_error_to_the_caller() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other, pytest.raises(OSError, match="in use"):
        await HttpServer(hello, "127.0.0.1", other.getsockname()[1]).start()


async def test_a_host_that_does_not_exist_is_an_error_to_the_caller() -> None:
    with pytest.raises(OSError):  # noqa: PT011  the text is the resolver's
        await HttpServer(hello, "host.invalid", 0).start()


async def test_signals_stay_the_program_s() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    server = HttpServer(hello, "127.0.0.1", 0)
    port = await server.start()
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.get(f"http://127.0.0.1:{port}/")

    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    await server.stop()


async def test_stop_closes_idle_connections_and_the_port() -> None:
    server = HttpServer(hello, "127.0.0.1", 0)
    port = await server.start()
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.get(f"http://127.0.0.1:{port}/")  # its connection stays open
        await asyncio.wait_for(server.stop(), 10)

        with pytest.raises(httpx.ConnectError):
            await http.get(f"http://127.0.0.1:{port}/")


async def test_stop_lets_a_running_request_finish() -> None:
    app = Slow()
    server = HttpServer(app, "127.0.0.1", 0)
    port = await server.start()
    async with httpx.AsyncClient(trust_env=False) as http:
        request = asyncio.create_task(http.get(f"http://127.0.0.1:{port}/"))
        await asyncio.wait_for(app.asked.wait(), 10)
        stop = asyncio.create_task(server.stop())
        app.answer.set()

        assert (await request).text == "hello"
        await asyncio.wait_for(stop, 10)


async def test_stop_does_not_wait_for_ever() -> None:
    app = Slow()
    server = HttpServer(app, "127.0.0.1", 0, stop_timeout=1)
    port = await server.start()
    async with httpx.AsyncClient(trust_env=False) as http:
        request = asyncio.create_task(http.get(f"http://127.0.0.1:{port}/"))
        await asyncio.wait_for(app.asked.wait(), 10)

        await asyncio.wait_for(server.stop(), 10)

        assert (await request).status_code == 500


async def test_stop_without_start() -> None:
    await HttpServer(hello, "127.0.0.1", 0).stop()


@pytest.mark.parametrize("beginning", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"])
async def test_a_connection_that_asks_for_nothing_ends(beginning: bytes) -> None:
    server = HttpServer(hello, "127.0.0.1", 0, silence=0.2)
    port = await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(beginning)

    async def trickle() -> None:
        while True:
            writer.write(b"x")
            await asyncio.sleep(0.02)

    trickling = asyncio.create_task(trickle())
    with suppress(ConnectionError):
        async with asyncio.timeout(10):
            await reader.read()
    trickling.cancel()
    writer.close()
    await server.stop()


async def test_a_request_that_takes_its_time_is_no_silence() -> None:
    app = Slow()
    server = HttpServer(app, "127.0.0.1", 0, silence=0.1)
    port = await server.start()
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        asked = asyncio.create_task(http.get(f"http://127.0.0.1:{port}/"))
        await app.asked.wait()
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with suppress(ConnectionError):
                await reader.read()  # a silent one came later and has ended
        app.answer.set()
        assert (await asked).text == "hello"
    writer.close()
    await server.stop()
