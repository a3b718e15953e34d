"""Whose address a request has behind proxies, and what addresses count as."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from websockets.datastructures import Headers

from mcpp.transport.addresses import Client, client_of, counted_as

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["203.0.113.9, 192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["203.0.113.9, 192.0.2.7, 10.0.0.2"], "192.0.2.7"),
        ("10.0.0.1", ["203.0.113.9", "192.0.2.7", "10.0.0.2"], "192.0.2.7"),
        ("10.0.0.1", ["192.0.2.7:4711"], "192.0.2.7"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["::ffff:192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["192.0.2.7, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7, unknown, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["," * 5000], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("198.51.100.1", ["192.0.2.7"], "198.51.100.1"),
        ("", ["192.0.2.7"], ""),
    ],
)
def test_the_rightmost_address_that_is_no_trusted_proxy_counts(peer: str, forwarded: list[str], address: str) -> None:
    headers = Headers([("X-Forwarded-For", value) for value in forwarded])

    assert client_of(peer, headers, TRUSTED).address == address
    assert client_of(peer, headers, ()).address == peer


@pytest.mark.parametrize(
    ("peer", "schemes", "encrypted"),
    [
        ("10.0.0.1", ["https"], True),
        ("10.0.0.1", ["http, WSS"], True),
        ("10.0.0.1", ["https, http"], False),
        ("10.0.0.1", ["https", "http"], False),
        ("10.0.0.1", [], None),
        ("198.51.100.1", ["https"], None),
    ],
)
def test_only_a_trusted_proxy_says_that_it_was_encrypted(peer: str, schemes: list[str], encrypted: bool | None) -> None:
    headers = Headers([("X-Forwarded-Proto", value) for value in schemes])

    assert client_of(peer, headers, TRUSTED) == Client(peer, encrypted)


def test_what_addresses_count_as() -> None:
    assert counted_as("192.0.2.7") == counted_as("::ffff:192.0.2.7") == "192.0.2.7"
    assert counted_as("2001:db8:0:1::1") == counted_as("2001:db8:0:1:ffff::2") != counted_as("2001:db8:0:2::1")
    assert counted_as("127.0.0.1") is counted_as("::1") is counted_as("127.9.9.9") is counted_as("") is None
