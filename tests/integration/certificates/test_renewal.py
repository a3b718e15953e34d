"""Certificates that end soon: their chargers are asked for a new request, once a day, and get what they ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mcpp.certificates.authority import load_authority, write_server_certificate
from mcpp.server.certificates import CertificateKeeper
from tests.integration.certificates.device import Device, DeviceCharger, on_line
from tests.integration.certificates.site import Site, make_authority, running
from tests.integration.field_notes.site import until


class Clock:
    """The wall clock, which a test sets."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Keeper:
    """The server's look at certificates, whenever a test wants it."""

    def __init__(self, site: Site) -> None:
        self.clock = Clock()
        core = site.central.core
        self._chore = CertificateKeeper(core.certificates, core.services.writer, self.clock)

    async def look(self, days: float) -> None:
        """As so many days from now."""
        self.clock.ahead = timedelta(days=days)
        await self._chore.work()


@pytest.fixture
async def served(site: Site, device: Device, charger: DeviceCharger) -> Keeper:
    """The charger has a certificate of 365 days."""
    await site.done("certificates/window", {"minutes": 5})
    await charger.ask_for_certificate()
    await site.certificate("issued")
    await site.done("certificates/window", {"minutes": 0})
    return Keeper(site)


async def test_a_charger_is_asked_in_time_and_once_a_day(
    site: Site, device: Device, charger: DeviceCharger, served: Keeper
) -> None:
    device.asks = False
    await served.look(334)
    await served.look(336)
    await charger.asked_for("ExtendedTriggerMessage")
    await served.look(336.5)
    await served.look(337.1)
    await charger.asked_for("ExtendedTriggerMessage", 2)
    assert charger.how_often("ExtendedTriggerMessage") == 2


async def test_one_that_is_not_connected_is_asked_when_it_is(
    site: Site, device: Device, charger: DeviceCharger, served: Keeper
) -> None:
    device.asks = False
    await charger.cut()

    async def is_gone() -> bool:
        return not (await site.central.get("charge-points/CP-1"))["connected"]

    await until(is_gone)
    await served.look(340)
    async with on_line(device, site.url) as again:
        await served.look(340.01)
        await again.asked_for("ExtendedTriggerMessage")


async def test_one_that_refuses_is_said(site: Site, device: Device, charger: DeviceCharger, served: Keeper) -> None:
    device.replies["ExtendedTriggerMessage"] = lambda _: {"status": "NotImplemented"}
    await served.look(340)
    line = await site.line("certificate_not_renewed")
    assert (line["charge_point_id"], line["error"]) == ("CP-1", "it answered NotImplemented")


async def test_a_renewal_needs_no_operator(tmp_path: Path, device: Device) -> None:
    make_authority(tmp_path)
    # A third of a day before its end; made to look old below.
    async with running(tmp_path, certificate_lifetime="1") as site:
        await site.register(device)
        async with on_line(device, site.url) as charger:
            await site.done("certificates/window", {"minutes": 5})
            await charger.ask_for_certificate()
            first = await site.certificate("issued")
            await site.done("certificates/window", {"minutes": 0})

            # Far from its end an operator is asked.
            device.key = ec.generate_private_key(ec.SECP256R1())
            await charger.ask_for_certificate()
            await site.certificate("pending")

            site.age_certificates(hours=20)
            await Keeper(site).look(0)
            await charger.asked_for("CertificateSigned", 2)
            second = await site.certificate("issued")
    assert second["approved_by"] == "renewal"
    assert second["serial_number"] != first["serial_number"]


async def test_the_certificates_of_the_server_are_warned_of(tmp_path: Path) -> None:
    directory = make_authority(tmp_path)
    names = ["localhost", "127.0.0.1"]
    write_server_certificate(directory, load_authority(directory), names, timedelta(days=60), datetime.now(UTC))
    async with running(tmp_path) as site:
        keeper = Keeper(site)
        await keeper.look(20)
        assert [line for line in site.central.lines() if line["event"] == "certificate_ends"] == []
        await keeper.look(40)
        assert (await site.line("certificate_ends"))["certificate"] == "server"


async def test_what_ended_long_ago_is_forgotten(
    site: Site, device: Device, charger: DeviceCharger, served: Keeper
) -> None:
    device.asks = False
    await served.look(720)
    assert len(await site.certificates()) == 1
    await served.look(732)
    assert await site.certificates() == []


async def test_an_operator_has_one_renewed_at_once(
    site: Site, device: Device, charger: DeviceCharger, served: Keeper
) -> None:
    issued = await site.certificate("issued")
    device.asks = False

    renewed = await site.done(f"certificates/{issued['id']}/renew")
    device.replies["ExtendedTriggerMessage"] = lambda _: {"status": "NotImplemented"}
    refused = await site.done(f"certificates/{issued['id']}/renew")
    await site.done(f"certificates/{issued['id']}/revoke")
    too_late = await site.post(f"certificates/{issued['id']}/renew")
    unknown = await site.post("certificates/999/renew")

    assert charger.how_often("ExtendedTriggerMessage") == 2
    assert renewed == {"accepted": True, "answer": "Accepted"}
    assert refused == {"accepted": False, "answer": "NotImplemented"}
    assert (too_late.status_code, too_late.json()["code"]) == (409, "conflict")
    assert unknown.status_code == 404


async def test_none_is_asked_that_is_not_connected(
    site: Site, device: Device, charger: DeviceCharger, served: Keeper
) -> None:
    issued = await site.certificate("issued")
    await charger.cut()

    async def is_refused() -> bool:
        answer = await site.post(f"certificates/{issued['id']}/renew")
        return '"code":"not_connected"' in answer.text

    await until(is_refused)
