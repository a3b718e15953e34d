"""What is said to be typed into a charger: an address that it can reach."""

from __future__ import annotations

import fcntl
import socket
from ipaddress import ip_address
from pathlib import Path

import pytest

from mcpp.server import machine
from mcpp.server.connect import ConnectGuide, base_urls
from mcpp.server.machine import machine_addresses, reachable_hosts
from mcpp.settings import Settings
from mcpp.transport.tls import ServerTls, TlsFiles
from tests.authority import Authority


def guide(tls: ServerTls | None = None, **flags: str) -> ConnectGuide:
    made = ConnectGuide(Settings.load(flags), tls)
    made.port = 9000
    return made


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("192.0.2.7", "ws://192.0.2.7:9000/ocpp/"),
        ("::1", "ws://[::1]:9000/ocpp/"),
        ("mcpp.example", "ws://mcpp.example:9000/ocpp/"),
    ],
)
def test_a_listener_on_one_address_is_reached_by_that(host: str, url: str) -> None:
    assert guide(ocpp_host=host).info().urls == [url]
    assert guide(ocpp_host=host).info().only_this_machine == (host == "::1")


def test_on_all_addresses_it_is_the_machines_own() -> None:
    info = guide(ocpp_path="/").info()
    own = [str(address) for address in machine_addresses(4)] or [socket.gethostname()]
    assert info.urls == [f"ws://{host}:9000/" for host in own]
    assert not any(bad in url for url in info.urls for bad in ("0.0.0.0", "127.", "//:"))
    for address in machine_addresses(4):
        with socket.create_server((str(address), 0)):
            pass  # it is this machine's
    assert all(ip_address(host).version == 6 for host in reachable_hosts("::") if ":" in host)


def test_the_way_out_comes_first_bridges_last_and_what_is_down_not_at_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    addresses = {"docker0": "172.17.0.1", "eth0": "192.168.1.10", "wlan0": "10.0.0.7", "tun1": "10.8.0.1"}
    for name in addresses:
        (tmp_path / name).mkdir()
        (tmp_path / name / "operstate").write_text("down\n" if name == "tun1" else "up\n")
    (tmp_path / "docker0" / "bridge").mkdir()
    monkeypatch.setattr(machine, "_INTERFACES", tmp_path)
    monkeypatch.setattr(
        fcntl,
        "ioctl",
        lambda _, __, asked: bytes(20) + ip_address(addresses[asked.rstrip(b"\0").decode()]).packed,
    )
    for outward, expected in (
        ("10.0.0.7", ["10.0.0.7", "192.168.1.10", "172.17.0.1"]),
        # An address that no interface shows, such as an alias.
        ("192.168.1.11", ["192.168.1.11", "192.168.1.10", "10.0.0.7", "172.17.0.1"]),
        (None, ["192.168.1.10", "10.0.0.7", "172.17.0.1"]),
    ):
        found = None if outward is None else ip_address(outward)
        monkeypatch.setattr(machine, "_outward", lambda _, found=found: found)
        assert [str(address) for address in machine_addresses(4)] == expected


def test_addresses_that_do_not_last_are_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    listed = tmp_path / "if_inet6"
    rows = ["00000000000000000000000000000001 01 80 10 80 lo"]
    rows += [
        f"20010db80000000000000000000000{number:02x} 02 40 00 {flags} eth0" for number, flags in ((1, "01"), (2, "00"))
    ]
    rows += ["fe800000000000000000000000000001 02 40 20 80 eth0"]
    listed.write_text("\n".join(rows))
    monkeypatch.setattr(machine, "_IPV6_ADDRESSES", listed)
    monkeypatch.setattr(machine, "_outward", lambda _: ip_address("2001:db8::1"))
    assert [str(address) for address in machine_addresses(6)] == ["2001:db8::2"]


def test_with_tls_it_is_what_the_certificate_holds_for(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    issued = authority.server()
    tls = ServerTls(TlsFiles(issued.certificate, issued.key))
    assert "127.0.0.1" in tls.certificate.names
    assert base_urls("ws", "127.0.0.1", 9000, tls) == ["wss://127.0.0.1:9000"]
    info = guide(tls, ocpp_host="127.0.0.1").info()
    assert (info.encrypted, info.url) == (True, "wss://127.0.0.1:9000/ocpp/")


def test_the_operator_may_know_better() -> None:
    info = guide(ocpp_url="wss://charge.example/ocpp/", registration="closed", security_profile="1").info()
    assert info.urls == ["wss://charge.example/ocpp/"]
    assert (info.encrypted, info.only_this_machine) == (True, False)
    assert (info.password_needed, info.certificate_needed, info.must_be_registered) == (True, False, True)
