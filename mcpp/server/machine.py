"""What this machine is called, and by which addresses others reach it."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final, NamedTuple

_RESOLVER_SECONDS: Final = 1.0
"""For the full name: where the name service hangs, the short one has to do."""

_SOMEWHERE: Final = {socket.AF_INET: ("192.0.2.1", 9), socket.AF_INET6: ("2001:db8::1", 9)}
"""Addresses for documentation (RFC 5737, RFC 3849): nothing is sent there."""

_GET_ADDRESS: Final = 0x8915
"""Linux' SIOCGIFADDR."""
_NAME_BYTES: Final = 15

_NOT_LASTING: Final = 0x01 | 0x08 | 0x20 | 0x40
"""Flags of an IPv6 address that is temporary, a duplicate, deprecated or tentative."""

_INTERFACES: Final = Path("/sys/class/net")
_IPV6_ADDRESSES: Final = Path("/proc/net/if_inet6")


async def machine_names() -> tuple[str, ...]:
    """Its host name, in full where that is known, and as machines of the same network find it (mDNS, RFC 6762)."""
    name = socket.gethostname()
    short = name.partition(".")[0]
    names = [name, short, f"{short}.local", await _full_name(name)]
    return tuple(dict.fromkeys(name for name in names if name))


async def _full_name(name: str) -> str:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def take(full: str) -> None:
        if not answer.done():  # or it came too late
            answer.set_result(full)

    def ask() -> None:
        full = socket.getfqdn(name)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(take, full)

    # A daemon, unlike the loop's own threads: a name service that hangs must not hold up the end of the process.
    threading.Thread(target=ask, name="machine-name", daemon=True).start()
    try:
        async with asyncio.timeout(_RESOLVER_SECONDS):
            return await answer
    except TimeoutError:
        return ""


def reachable_hosts(host: str) -> list[str]:
    """By which names and addresses others may reach what listens on `host`, the likeliest first; never none.

    Where that is all addresses: those of this machine's network interfaces now, the one on the way out first, those of
    bridges between containers last. Nothing is sent, and nothing is asked of a name service.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return [host]
    if not address.is_unspecified:
        return [host]
    return [str(found) for found in machine_addresses(address.version)] or [socket.gethostname()]


def in_url(host: str) -> str:
    """A name or address as a URL has it."""
    return f"[{host}]" if ":" in host else host


def machine_addresses(version: int) -> list[IPv4Address | IPv6Address]:
    """The machine's lasting addresses of an IP version, loopback left out, in the order of `reachable_hosts`."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    outward = _outward(family)
    found = list(_interface_addresses() if version == 4 else _interface_addresses_6())
    if outward is not None and version == 4 and all(outward != each.address for each in found):
        found.insert(0, _Found(outward, ""))
    way_out = {each.interface for each in found if each.address == outward}
    if outward is not None and not way_out and not found:
        return [outward]

    def rank(each: _Found) -> tuple[bool, bool, bool, bool]:
        return (
            each.address != outward,
            each.interface not in way_out,
            each.address.is_link_local,
            (_INTERFACES / each.interface / "bridge").exists(),
        )

    return list(dict.fromkeys(each.address for each in sorted(found, key=rank)))


class _Found(NamedTuple):
    address: IPv4Address | IPv6Address
    interface: str


def _outward(family: socket.AddressFamily) -> IPv4Address | IPv6Address | None:
    """The address that what leaves this machine has; None where it has no way out."""
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(_SOMEWHERE[family])
        address = ip_address(probe.getsockname()[0])
        return None if address.is_loopback else address
    return None


def _interface_addresses() -> Iterator[_Found]:
    """The IPv4 address of each network interface that is up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for name in _interface_names():
            with suppress(OSError):  # it has none
                asked = struct.pack("256s", name.encode()[:_NAME_BYTES])
                address = IPv4Address(fcntl.ioctl(probe.fileno(), _GET_ADDRESS, asked)[20:24])
                if not address.is_loopback and _is_up(name):
                    yield _Found(address, name)


def _interface_names() -> list[str]:
    """By a directory; socket.if_nameindex() asks by netlink, which mcpp.service doesn't allow."""
    try:
        return sorted(entry.name for entry in _INTERFACES.iterdir())
    except OSError:  # no Linux
        return []


def _interface_addresses_6() -> Iterator[_Found]:
    """The IPv6 addresses that last and lead beyond a single link."""
    with suppress(OSError):  # no IPv6, or no Linux
        for line in _IPV6_ADDRESSES.read_text(encoding="ascii").splitlines():
            digits, _, _, _, flags, name = line.split()
            address = IPv6Address(int(digits, 16))
            if not (address.is_loopback or address.is_link_local or int(flags, 16) & _NOT_LASTING) and _is_up(name):
                yield _Found(address, name)


def _is_up(interface: str) -> bool:
    try:
        return (_INTERFACES / interface / "operstate").read_text(encoding="ascii").strip() != "down"
    except OSError:
        return True
