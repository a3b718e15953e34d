"""Whose address a connection has: behind trusted proxies, and for counting."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, NamedTuple, TypeAlias

from websockets.datastructures import Headers

Address: TypeAlias = IPv4Address | IPv6Address
TrustedProxies: TypeAlias = Sequence[IPv4Network | IPv6Network]

_MOST_HOPS: Final = 32
_WITH_PORT: Final = re.compile(r"\[([^\]]*)\](?::\d+)?|([\d.]+):\d+")
_ENCRYPTED: Final = frozenset({"https", "wss"})
_NETWORK_BITS_V6: Final = 64
"""One customer's network: whoever has one address of it has all."""


class Client(NamedTuple):
    """Who is at the far end."""

    address: str
    encrypted: bool | None
    """Whether TLS protects it up to the proxy; None where no trusted proxy says."""


def client_of(peer: str, headers: Headers, trusted: TrustedProxies) -> Client:
    """Who a request comes from: the rightmost address that isn't a trusted proxy's.

    What stands further left, anybody may have made up. Where a trusted proxy's header can't be read, it's the proxy
    that counts.
    """
    if not trusted or not _is_trusted(_parse(peer), trusted):
        return Client(peer, None)
    address = peer
    for hop in _hops_from_the_right(headers.get_all("X-Forwarded-For")):
        parsed = _parse(hop)
        if parsed is None:
            break
        address = str(parsed)
        if not _is_trusted(parsed, trusted):
            break
    schemes = [scheme.strip().lower() for value in headers.get_all("X-Forwarded-Proto") for scheme in value.split(",")]
    return Client(address, schemes[-1] in _ENCRYPTED if schemes else None)


def counted_as(address: str) -> str | None:
    """What is counted for limits per address: the /64 network of an IPv6 address; None for loopback, which has none."""
    parsed = _parse(address)
    if parsed is None:
        return address or None
    if parsed.is_loopback:
        return None
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, _NETWORK_BITS_V6), strict=False))
    return str(parsed)


def _hops_from_the_right(values: Sequence[str]) -> Iterator[str]:
    yield from ",".join(values).rsplit(",", _MOST_HOPS)[: -_MOST_HOPS - 1 : -1]


def _parse(text: str) -> Address | None:
    """An address with or without a port; one of IPv4 that is written as IPv6 is one of IPv4."""
    text = text.strip()
    with_port = _WITH_PORT.fullmatch(text)
    if with_port is not None:
        text = with_port[1] or with_port[2] or ""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _is_trusted(address: Address | None, trusted: TrustedProxies) -> bool:
    return address is not None and any(address in network for network in trusted)
