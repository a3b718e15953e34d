"""Certificates of a running server: what it says of them, how they are renewed, and the other listeners' TLS."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import sys
from pathlib import Path

import httpx
import pytest

from tests.acceptance.server import LogLine, Server, running_server
from tests.authority import Authority, Pair


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def used(tmp_path: Path) -> Pair:
    """The files that a server is started with."""
    return Pair(tmp_path / "used.pem", tmp_path / "used.key", "")


def put(used: Pair, new: Pair) -> None:
    """As a renewal does: each file is replaced at once, but not both."""
    for target, source in ((used.certificate, new.certificate), (used.key, new.key)):
        fresh = target.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(source.read_bytes())
        fresh.replace(target)


def flags(used: Pair) -> tuple[str, ...]:
    return ("--tls-cert", str(used.certificate), "--tls-key", str(used.key))


async def shown(port: int, ca: Authority) -> str:
    """The serial number of the certificate that a listener shows."""

    def look() -> str:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            ca.client_context().wrap_socket(plain, server_hostname="127.0.0.1") as tls,
        ):
            found = (tls.getpeercert() or {})["serialNumber"]
            assert isinstance(found, str)
            return found.lstrip("0")

    return await asyncio.to_thread(look)


async def serves(server: Server, pair: Pair, timeout: float = 10) -> None:
    await server.wait_for_line(
        lambda line: line["event"] == "tls_certificate_serves" and line["serial_number"] == pair.serial_number, timeout
    )


async def not_reloaded(server: Server, reason: str) -> LogLine:
    return await server.wait_for_line(lambda line: line["event"] == "tls_not_reloaded" and reason in line["reason"])


async def test_a_certificate_is_renewed_by_a_signal_and_a_broken_one_is_not_taken(
    tmp_path: Path, ca: Authority, used: Pair
) -> None:
    first, second, third, expired = ca.server(), ca.server(), ca.server(), ca.server(days=-1)
    put(used, first)
    async with running_server(tmp_path / "mcpp.db", *flags(used)) as server:

        def hang_up() -> None:
            os.kill(server.process.pid, signal.SIGHUP)

        await serves(server, first)
        assert not any(line["event"] == "tls_key_readable_by_all" for line in server.lines)
        line = next(line for line in server.lines if line["event"] == "tls_certificate_serves")
        assert (line["listener"], line["subject"], line["file"]) == ("ocpp", "CN=server", str(used.certificate))
        assert line["names"] == ["localhost", "127.0.0.1"]
        put(used, second)
        used.key.chmod(0o644)
        hang_up()
        await serves(server, second)
        assert await shown(server.ocpp_port, ca) == second.serial_number
        warned = await server.wait_for_line(lambda line: line["event"] == "tls_key_readable_by_all")
        assert (warned["level"], warned["remedy"]) == ("warning", f"chmod o= {used.key}")

        for text, reason in (
            (b"nonsense", "holds no certificate in PEM form"),
            (third.certificate.read_bytes(), "isn't that of the first certificate in"),
        ):
            used.certificate.write_bytes(text)
            hang_up()
            line = await not_reloaded(server, reason)
            assert (line["level"], line["serial_number"]) == ("error", second.serial_number)
            assert await shown(server.ocpp_port, ca) == second.serial_number
        put(used, expired)
        hang_up()
        await not_reloaded(server, "has expired")
        assert await shown(server.ocpp_port, ca) == second.serial_number


async def test_a_certificate_is_renewed_when_its_files_change(tmp_path: Path, ca: Authority, used: Pair) -> None:
    first, second = ca.server(), ca.server()
    put(used, first)
    async with running_server(tmp_path / "mcpp.db", *flags(used)) as server:
        put(used, second)
        await serves(server, second, timeout=30)
        assert await shown(server.ocpp_port, ca) == second.serial_number


async def test_an_authority_that_is_made_later_is_trusted_from_then_on(
    tmp_path: Path, ca: Authority, used: Pair
) -> None:
    """The built-in one, by `mcpp ca init`, while the server runs."""
    put(used, ca.server())
    directory = tmp_path / "mcpp-ca"
    async with running_server(tmp_path / "mcpp.db", *flags(used), "--ca-directory", str(directory)) as server:
        directory.mkdir()
        (directory / "ca.pem").write_bytes(ca.file.read_bytes())
        os.kill(server.process.pid, signal.SIGHUP)
        line = await server.wait_for_line(lambda line: line.get("asks_for_certificates") is True)
        assert line["event"] == "tls_certificate_serves"


@pytest.mark.parametrize(
    ("days", "event"), [(-1, "tls_certificate_expired"), (3, "tls_certificate_ends_soon"), (30, None)]
)
async def test_an_end_that_has_come_or_comes_soon_is_warned_of(
    tmp_path: Path, ca: Authority, used: Pair, days: int, event: str | None
) -> None:
    put(used, ca.server(days=days))
    async with running_server(tmp_path / "mcpp.db", *flags(used)) as server:
        warnings = [line["event"] for line in server.lines if line["level"] == "warning"]
    assert warnings == ([] if event is None else [event])


async def test_the_api_by_https_and_a_call_that_trusts_it(tmp_path: Path, ca: Authority, used: Pair) -> None:
    first, second = ca.server(), ca.server()
    put(used, first)
    https = ("--http-tls-cert", str(used.certificate), "--http-tls-key", str(used.key))
    async with running_server(tmp_path / "mcpp.db", *https) as server:
        url = f"https://127.0.0.1:{server.http_port}"
        async with httpx.AsyncClient(verify=ca.client_context(), trust_env=False) as client:
            assert (await client.get(f"{url}/healthz")).status_code == 200
            put(used, second)
            os.kill(server.process.pid, signal.SIGHUP)
            await serves(server, second)
            assert (await client.get(f"{url}/metrics")).status_code == 200  # on its connection from before
        assert await shown(server.http_port, ca) == second.serial_number
        async with httpx.AsyncClient(trust_env=False) as client:
            plain = await client.get(f"http://127.0.0.1:{server.http_port}/healthz")
        assert (plain.status_code, plain.text) == (400, "this port speaks TLS: use wss:// or https://\n")
        line = await server.wait_for_line(lambda line: line["event"] == "tls_failed")
        assert (line["listener"], line["remote_address"]) == ("http", "127.0.0.1")

        trusting, by_default, with_a_key = await asyncio.gather(
            call(url, "--api-ca", str(ca.file)), call(url), call(url, "--api-ca", str(used.key))
        )
        code, errors = trusting
        assert (code, "not_connected" in errors or "unknown" in errors or "not_found" in errors) == (1, True), errors
        code, errors = by_default
        assert (code, "--api-ca" in errors) == (1, True), errors
        code, errors = with_a_key
        assert (code, "holds no certificate" in errors) == (2, True), errors


async def call(url: str, *more: str) -> tuple[int, str]:
    """Exit code and standard error of `mcpp call` for a charge point that there isn't."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MCPP_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mcpp", "call", "CP-1", "ClearCache", "--api-url", url, *more),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    _, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, errors.decode()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_files_are_served_as_their_url_says(tmp_path: Path, ca: Authority, used: Pair, scheme: str) -> None:
    put(used, ca.server())
    files = ("--files-port", "0", "--files-url", f"{scheme}://127.0.0.1", "--files-directory", str(tmp_path / "files"))
    async with running_server(tmp_path / "mcpp.db", *flags(used), *files) as server:
        port = next(line["files_port"] for line in server.lines if line["event"] == "server_started")
        async with httpx.AsyncClient(verify=ca.client_context(), trust_env=False) as client:
            answer = await client.get(f"{scheme}://127.0.0.1:{port}/firmware/nothing/here")
            assert answer.status_code == 404
        if scheme == "https":
            with pytest.raises(ssl.SSLError):
                await shown(port, Authority(tmp_path, "Other"))
