"""The security profiles of OCPP from outside: by plain sockets and by TLS, with what is right and what is wrong."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from tests.acceptance.server import Server, running_server
from tests.authority import Authority

PASSWORD: Final = b"a long and random password"
REJECTED: Final = b"another long password"
ACCEPTED: Final = 101
USED_BEFORE: Final = ", which it has used before; an operator can lower it by security_profile"


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@asynccontextmanager
async def tls_server(tmp_path: Path, ca: Authority, *flags: str) -> AsyncIterator[Server]:
    """A server by TLS that accepts certificates of `ca`."""
    pair = ca.server()
    async with running_server(
        tmp_path / "mcpp.db",
        *("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key), "--tls-client-ca", str(ca.file)),
        *flags,
    ) as server:
        yield server


def dial(server: Server, identity: str, tls: ssl.SSLContext | None, password: bytes | None = None) -> connect:
    headers = {}
    if password is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(identity.encode() + b":" + password).decode()
    scheme = "ws" if tls is None else "wss"
    return connect(
        f"{scheme}://127.0.0.1:{server.ocpp_port}/ocpp/{identity}",
        ssl=tls,
        subprotocols=[Subprotocol("ocpp1.6")],
        additional_headers=headers,
        proxy=None,
    )


async def refusal(
    server: Server, identity: str, tls: ssl.SSLContext | None, password: bytes | None = None
) -> tuple[int, str]:
    """Status and text of the answer; 101 and no text where there's no refusal."""
    try:
        async with dial(server, identity, tls, password) as socket:
            await heartbeat(socket)
    except InvalidStatus as refused:
        return refused.response.status_code, (refused.response.body or b"").decode().strip()
    return ACCEPTED, ""


async def heartbeat(socket: ClientConnection) -> None:
    await socket.send('[2,"alive","Heartbeat",{}]')
    assert json.loads(await asyncio.wait_for(socket.recv(), 30))[:2] == [3, "alive"]


async def put(server: Server, identity: str, **wanted: object) -> None:
    async with httpx.AsyncClient(base_url=server.http_url, trust_env=False) as client:
        response = await client.put(f"/api/v1/charge-points/{identity}", json=wanted)
    assert response.is_success, response.text


async def get(server: Server, identity: str) -> dict[str, Any]:
    found: dict[str, Any] = await server.get(f"/api/v1/charge-points/{identity}")
    return found


WAYS: Final = ["plain", "plain+password", "plain+wrong", "tls", "tls+password", "tls+wrong", "cert", "cert+wrong"]

EXPECTED: Final = {
    # Of a charge point without a password, and of three that have one and must use at least this profile.
    0: [0, 0, 0, 0, 0, 0, 3, 3],
    1: [401, 1, 401, 401, 2, 401, 3, 3],
    2: [403, 403, 403, 401, 2, 401, 3, 3],
    3: [403, 403, 403, 403, 403, 403, 3, 3],
}
"""The profile that is used, or the status of the refusal, by way."""


async def test_plain_connections_reach_the_profiles_without_tls(tmp_path: Path) -> None:
    # Through the proxy a charger could use profile 2.
    async with running_server(tmp_path / "mcpp.db", "--trusted-proxies", "192.0.2.1") as server:
        await asyncio.gather(
            *(
                check(server, profile, way, result, None)
                for profile in (0, 1, 2)
                for way, result in zip(WAYS[:3], EXPECTED[profile][:3], strict=True)
            )
        )


@pytest.mark.parametrize(
    ("flags", "missing"),
    [
        ([], {2: "2 needs tls-cert and tls-key, or trusted-proxies", 3: "3 needs tls-cert and tls-key"}),
        (["--trusted-proxies", "192.0.2.1"], {3: "3 needs tls-cert and tls-key"}),
        (["TLS"], {3: "3 needs tls-client-ca, or a ca-directory with an authority"}),
    ],
)
async def test_a_profile_by_which_nobody_could_connect_is_refused(
    tmp_path: Path, ca: Authority, flags: list[str], missing: dict[int, str]
) -> None:
    """Or the charge point would be locked out by a word that nobody could act on."""
    if flags == ["TLS"]:
        pair = ca.server()
        flags = ["--tls-cert", str(pair.certificate), "--tls-key", str(pair.key)]
    flags += ["--ca-directory", str(tmp_path / "no-authority")]
    async with (
        running_server(tmp_path / "mcpp.db", *flags) as server,
        httpx.AsyncClient(base_url=server.http_url, trust_env=False) as client,
    ):
        for profile in range(4):
            answer = await client.put(f"/api/v1/charge-points/CP-{profile}", json={"security_profile": profile})
            known = await client.get(f"/api/v1/charge-points/CP-{profile}")
            if profile in missing:
                assert (answer.status_code, known.status_code) == (422, 404)
                assert answer.json()["errors"][0]["location"] == "body.security_profile"
                assert missing[profile] in answer.json()["detail"]
            else:
                assert answer.status_code == 201
                assert known.json()["security_profile"] == profile


async def test_tls_connections_reach_all_profiles(tmp_path: Path, ca: Authority) -> None:
    async with tls_server(tmp_path, ca) as server:
        checks = []
        for profile, expected in EXPECTED.items():
            for way, result in zip(WAYS[3:], expected[3:], strict=True):
                shown = ca.charger(f"CP-{profile}-{way}") if way.startswith("cert") else None
                checks.append(check(server, profile, way, result, ca.client_context(shown)))
        await asyncio.gather(*checks)


async def check(server: Server, profile: int, way: str, result: int, tls: ssl.SSLContext | None) -> None:
    """That a new charge point which must use this profile gets on by this way as far as it should."""
    identity = f"CP-{profile}-{way}"
    await put(server, identity, security_profile=profile, password=PASSWORD.decode() if profile else None)
    password = {"password": PASSWORD, "wrong": REJECTED}.get(way.partition("+")[2])
    if result > 3:
        status, text = await refusal(server, identity, tls, password)
        assert (status, bool(text)) == (result, True), f"{identity}: {text}"
        assert (await get(server, identity))["highest_profile"] == 0
        return
    async with dial(server, identity, tls, password) as socket:
        await heartbeat(socket)
        point = await get(server, identity)
    assert (point["security_profile"], point["used_profile"], point["highest_profile"]) == (profile, result, result)


async def test_the_least_profile_of_all(tmp_path: Path, ca: Authority) -> None:
    nothing = ca.client_context()
    async with tls_server(tmp_path, ca, "--security-profile", "2") as server:
        assert await refusal(server, "CP-1", nothing) == (
            401,
            "this charge point must send a password, and none is stored for it yet: an operator sets one",
        )
        await put(server, "CP-1", password=PASSWORD.decode())
        assert (await refusal(server, "CP-1", nothing, REJECTED))[0] == 401
        assert await refusal(server, "CP-1", nothing, PASSWORD) == (ACCEPTED, "")
    async with tls_server(tmp_path, ca, "--security-profile", "3") as server:
        assert await refusal(server, "CP-1", nothing, PASSWORD) == (
            403,
            "this charge point must show a certificate of its own (security profile 3)",
        )
        # Its certificate is all that a new one needs.
        assert await refusal(server, "CP-2", ca.client_context(ca.charger("CP-2"))) == (ACCEPTED, "")
        point = await get(server, "CP-2")
        assert (point["security_profile"], point["highest_profile"], point["used_profile"]) == (None, 3, None)


async def test_a_lower_profile_than_before_is_refused_until_an_operator_says_so(tmp_path: Path, ca: Authority) -> None:
    nothing, own = ca.client_context(), ca.client_context(ca.charger("CP-1"))
    async with tls_server(tmp_path, ca) as server:
        await put(server, "CP-1", password=PASSWORD.decode())
        assert (await refusal(server, "CP-1", nothing, PASSWORD))[0] == ACCEPTED
        assert (await refusal(server, "CP-1", own))[0] == ACCEPTED
        assert await refusal(server, "CP-1", nothing, PASSWORD) == (
            403,
            f"this charge point must show a certificate of its own (security profile 3{USED_BEFORE})",
        )
        line = await server.connection_ended("profile_too_low")
        assert (line["charge_point_id"], line["remote_address"]) == ("CP-1", "127.0.0.1")

        await put(server, "CP-1", display_name="Garage")
        assert (await refusal(server, "CP-1", nothing, PASSWORD))[0] == 403
        await put(server, "CP-1", security_profile=2)
        assert (await refusal(server, "CP-1", nothing, PASSWORD))[0] == ACCEPTED
        assert (await refusal(server, "CP-1", own))[0] == ACCEPTED
        await put(server, "CP-1", security_profile=None)
        assert (await refusal(server, "CP-1", nothing, PASSWORD))[0] == ACCEPTED


async def test_a_server_that_has_lost_its_tls_lets_nobody_down(tmp_path: Path, ca: Authority) -> None:
    async with tls_server(tmp_path, ca) as server:
        await put(server, "CP-1", password=PASSWORD.decode())
        assert (await refusal(server, "CP-1", ca.client_context(), PASSWORD))[0] == ACCEPTED
    async with running_server(tmp_path / "mcpp.db") as server:
        assert await refusal(server, "CP-1", None, PASSWORD) == (
            403,
            f"this charge point must connect by wss:// (security profile 2{USED_BEFORE})",
        )
        # Without a password nothing is left to prove.
        await put(server, "CP-1", password=None)
        assert (await refusal(server, "CP-1", None))[0] == ACCEPTED


async def test_a_certificate_is_the_identitys_or_that_of_a_serial_number_an_operator_entered(
    tmp_path: Path, ca: Authority
) -> None:
    by_serial = ca.client_context(ca.charger("SN-0815"))
    boot = {"chargePointVendor": "Acme", "chargePointModel": "X", "chargePointSerialNumber": "SN-0815"}
    async with tls_server(tmp_path, ca) as server:
        async with dial(server, "CP-1", ca.client_context()) as socket:
            await socket.send(json.dumps([2, "boot", "BootNotification", boot]))
            await socket.recv()
        assert (await get(server, "CP-1"))["serial_number"] == "SN-0815"

        status, text = await refusal(server, "CP-1", by_serial)
        assert status == 403
        assert text.startswith("its certificate is that of 'SN-0815'; where that is this charge point's serial number,")
        line = await server.connection_ended("certificate_refused")
        assert (line["charge_point_id"], line["detail"]) == ("CP-1", text)
        await put(server, "CP-1", certificate_serial="SN-0815")
        assert (await refusal(server, "CP-1", by_serial))[0] == ACCEPTED
        assert (await refusal(server, "CP-1", ca.client_context(ca.charger("CP-1"))))[0] == ACCEPTED
        for other in ("cp-1", "CP-1 ", "CP-2"):
            assert (await refusal(server, "CP-1", ca.client_context(ca.charger(other))))[0] == 403
        assert (await refusal(server, "CP-1", ca.client_context(ca.charger("CP-1", "CP-1"))))[0] == 403
        await put(server, "CP-1", certificate_serial=None)
        assert (await refusal(server, "CP-1", by_serial))[0] == 403
        assert (await refusal(server, "CP-9", by_serial))[0] == 403
        async with httpx.AsyncClient(base_url=server.http_url, trust_env=False) as client:
            assert (await client.get("/api/v1/charge-points/CP-9")).status_code == 404


async def test_the_organization_where_one_is_asked_for(tmp_path: Path, ca: Authority) -> None:
    async with tls_server(tmp_path, ca, "--tls-organization", "Parking Ltd") as server:
        for organization, status in (("Parking Ltd", ACCEPTED), ("Parking ltd", 403), (None, 403)):
            own = ca.client_context(ca.charger("CP-1", organization=organization))
            assert (await refusal(server, "CP-1", own))[0] == status


@pytest.mark.parametrize("kind", ["expired", "foreign"])
async def test_certificates_that_do_not_hold_and_clients_without_tls_are_named_in_the_log(
    tmp_path: Path, ca: Authority, kind: str
) -> None:
    pair = ca.charger("CP-1", days=-1) if kind == "expired" else Authority(tmp_path, "Other").charger("CP-1")
    reason = "certificate has expired" if kind == "expired" else "unable to get local issuer certificate"
    async with tls_server(tmp_path, ca) as server:
        with pytest.raises((OSError, InvalidMessage)):  # TLS 1.3 lets it believe in success before
            await refusal(server, "CP-1", ca.client_context(pair))
        line = await server.connection_ended("tls_failed")
        assert (line["remote_address"], line["detail"]) == ("127.0.0.1", f"its certificate isn't accepted: {reason}")

        assert (await refusal(server, "CP-1", None))[0] == 400
        line = await server.wait_for_line(lambda line: "plain ws://" in line.get("detail", ""))
        assert (line["outcome"], line["remote_address"]) == ("tls_failed", "127.0.0.1")
        async with httpx.AsyncClient(base_url=server.http_url, trust_env=False) as client:
            metrics = await client.get("/metrics")
        assert 'mcpp_connections_total{outcome="tls_failed"} 2.0' in metrics.text


@pytest.mark.parametrize(("profile", "warned"), [("0", True), ("1", False)])
async def test_a_public_start_is_not_warned_of_where_all_must_prove_who_they_are(
    tmp_path: Path, profile: str, warned: bool
) -> None:
    flags = ("--ocpp-host", "0.0.0.0", "--security-profile", profile)
    async with running_server(tmp_path / "mcpp.db", *flags) as server:
        events = [line["event"] for line in server.lines]
    assert ("chargers_not_authenticated" in events) is warned
