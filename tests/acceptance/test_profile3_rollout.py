"""From an empty directory to a charger that connects by its own certificate, with MCPP's commands alone."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from websockets.exceptions import InvalidStatus

from tests.acceptance.server import Server, running_server
from tests.integration.certificates.device import Device, Station, on_line
from tests.integration.cli.command import Mcpp


async def mcpp(*arguments: str) -> tuple[int, str]:
    """A command as a person types it: its exit code, and what it prints."""
    ended = await asyncio.to_thread(Mcpp(Path.cwd()), *arguments)
    return ended.code, ended.out + ended.err


def trusting(device: Device, directory: Path, folder: Path) -> ssl.SSLContext:
    """TLS as the device speaks it: by the root that was installed, with its certificate where it has one."""
    context = ssl.create_default_context(cafile=None if device.root else str(directory / "ca.pem"), cadata=device.root)
    if device.certificate is not None:
        key = device.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = folder / "device.pem"
        file.write_bytes(device.certificate.encode() + key)
        context.load_cert_chain(file)
    return context


async def register(server: Server, device: Device) -> None:
    async with httpx.AsyncClient(base_url=server.http_url, trust_env=False) as client:
        answer = await client.put(f"/api/v1/charge-points/{device.identity}", json={"password": device.password})
    assert answer.is_success, answer.text


@pytest.mark.parametrize(
    "device",
    [Device(), Station(subprotocol="ocpp2.0.1"), Station(subprotocol="ocpp2.1")],
    ids=lambda device: device.subprotocol,
)
async def test_a_charger_comes_to_profile_3_from_mcpp_alone(tmp_path: Path, device: Device) -> None:
    directory = tmp_path / "ca"
    made, said = await mcpp("ca", "init", "--ca-directory", str(directory), "--server-name", "127.0.0.1")
    assert made == 0, said
    flags = (
        *("--ca-directory", str(directory), "--ocpp-url", "wss://127.0.0.1/ocpp"),
        *("--tls-cert", str(directory / "server.pem"), "--tls-key", str(directory / "server.key")),
    )
    async with running_server(tmp_path / "mcpp.db", *flags) as server:
        url = f"wss://127.0.0.1:{server.ocpp_port}/ocpp"
        await register(server, device)

        # By its password and TLS; the whole roll-out is one command, which ends when the charger is back.
        async with on_line(device, url, trusting(device, directory, tmp_path)) as charger:
            rolling = asyncio.create_task(mcpp("ca", "roll-out", "CP-1", "--api-url", server.http_url))
            await charger.asked_for(device.last_of_a_roll_out)
        device.password = None
        async with on_line(device, url, trusting(device, directory, tmp_path)) as charger:
            assert device.security_profile == 3
            code, said = await rolling
            assert (code, said.splitlines()[-1].split(":")[0]) == (0, "reconnect"), said

            # By its certificate it has proven who it is: an early renewal waits for an operator.
            assert await charger.ask_for_certificate() == "Accepted"
        listed, said = await mcpp("ca", "list", "--api-url", server.http_url)
        assert listed == 0
        assert [line.split()[2] for line in said.splitlines()[1:]] == ["pending", "issued"]

        # There is no way back to the password.
        stolen = replace(device, password="a password of sixteen", certificate=None)
        with pytest.raises(InvalidStatus):
            async with on_line(stolen, url, trusting(stolen, directory, tmp_path)):
                pass

        revoked, said = await mcpp("ca", "revoke", "1", "--reason", "stolen", "--api-url", server.http_url)
        assert revoked == 0, said
        with pytest.raises(InvalidStatus):
            async with on_line(device, url, trusting(device, directory, tmp_path)):
                pass

    # Nor after a restart.
    async with running_server(tmp_path / "mcpp.db", *flags) as server:
        url = f"wss://127.0.0.1:{server.ocpp_port}/ocpp"
        with pytest.raises(InvalidStatus):
            async with on_line(device, url, trusting(device, directory, tmp_path)):
                pass
