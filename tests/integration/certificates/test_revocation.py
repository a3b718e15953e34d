"""Revoked certificates: who had one is out, and stays out, whatever becomes of its charge point's records."""

from __future__ import annotations

from pathlib import Path

from mcpp.certificates.revoked import Revoked
from tests.integration.certificates.device import Device, DeviceCharger, on_line
from tests.integration.certificates.site import Site, make_authority, running


async def issued(site: Site, charger: DeviceCharger) -> dict[str, object]:
    await site.done("certificates/window", {"minutes": 5})
    await charger.ask_for_certificate()
    return await site.certificate("issued")


async def test_a_revocation_ends_the_connection_and_counts_at_once(site: Site, charger: DeviceCharger) -> None:
    kept = await issued(site, charger)
    serial = str(kept["serial_number"])
    assert not site.is_revoked(serial)

    revoked = await site.done(f"certificates/{kept['id']}/revoke", {"reason": "stolen"})
    assert (revoked["status"], revoked["reason"]) == ("revoked", "stolen")
    assert revoked["revoked_at"] is not None
    await charger.socket.wait_closed()
    assert charger.socket.close_code == 1008
    assert site.is_revoked(serial)
    line = await site.line("certificate_revoked")
    assert (line["subject"], line["serial_number"]) == ("CN=CP-1", serial)

    # A repeat changes nothing.
    again = await site.done(f"certificates/{kept['id']}/revoke", {"reason": "twice"})
    assert (again["reason"], again["revoked_at"]) == ("stolen", revoked["revoked_at"])


async def test_it_survives_a_restart_and_a_purge(tmp_path: Path, device: Device) -> None:
    make_authority(tmp_path)
    async with running(tmp_path) as site:
        await site.register(device)
        async with on_line(device, site.url) as charger:
            kept = await issued(site, charger)
            await site.done(f"certificates/{kept['id']}/revoke")
            await charger.socket.wait_closed()
        purged = await site.central.http.delete("/api/v1/charge-points/CP-1", params={"purge": "true"})
        assert purged.status_code == 204
        assert [it["status"] for it in await site.certificates(charge_point_id="CP-1")] == ["revoked"]
    async with running(tmp_path) as site:
        assert site.is_revoked(str(kept["serial_number"]))


async def test_a_certificate_that_was_not_delivered_can_be_revoked(site: Site, device: Device) -> None:
    await site.register(device)
    async with on_line(device, site.url) as charger:
        await charger.ask_for_certificate()
    waiting = await site.certificate("pending")
    await site.done(f"certificates/{waiting['id']}/approve")
    await site.done(f"certificates/{waiting['id']}/revoke")
    async with on_line(device, site.url) as charger:
        await charger.say("Heartbeat", {})
        assert charger.asked == []


async def test_a_request_of_a_forgotten_charger_cannot_be_approved(site: Site, device: Device) -> None:
    await site.register(device)
    async with on_line(device, site.url) as charger:
        await charger.ask_for_certificate()
    waiting = await site.certificate("pending")
    assert (await site.central.http.delete("/api/v1/charge-points/CP-1")).status_code == 204
    refused = await site.post(f"certificates/{waiting['id']}/approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")


def test_a_serial_number_is_the_same_in_any_spelling() -> None:
    revoked = Revoked(["0AB1"])
    assert all(map(revoked.is_revoked, ("AB1", "0ab1", "0A:B1", "000AB1")))
    assert not any(map(revoked.is_revoked, ("AB", "AB10", "")))
    revoked.add("ff")
    assert revoked.is_revoked("FF")
