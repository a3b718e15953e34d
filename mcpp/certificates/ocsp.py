"""OCSP requests of our own (RFC 6960): is a certificate revoked?

The responder's URL comes from chargers, who read it out of certificates, so anybody may have written it: only http and
https, only public addresses but for what the operator lists, no redirects, no proxies, little time and few bytes. The
address that was checked is the one that is connected to.
"""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final, NamedTuple

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from mcpp.csms.contracts import CertificateId, Revocation, RevocationStatus

TIME_LIMIT: Final = 5.0
"""Seconds for one request: a charger waits for its answer."""
_MOST_BYTES: Final = 1 << 16
_MOST_REMEMBERED: Final = 1000
_LONGEST_URL: Final = 2000
_CLOCK_SKEW: Final = timedelta(minutes=5)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_ALGORITHMS: Final[dict[str, Callable[[], hashes.HashAlgorithm]]] = {
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}
_STATUSES: Final = {
    ocsp.OCSPCertStatus.GOOD: RevocationStatus.GOOD,
    ocsp.OCSPCertStatus.REVOKED: RevocationStatus.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: RevocationStatus.UNKNOWN,
}


class NoAnswer(Exception):
    """Nothing can be learnt from a responder; the text says why."""


class _Target(NamedTuple):
    url: httpx.URL
    """With the address in place of the name."""
    host: str
    """As it goes into the header and is looked for in the certificate."""
    header: str


class OcspClient:
    """Asks responders, and remembers what they say until that holds no more. Belongs to one event loop."""

    def __init__(self, allowed: Collection[str], now: Callable[[], datetime]) -> None:
        """`allowed`: hosts, with or without a port, that may have private addresses."""
        self._allowed = frozenset(host.strip().lower() for host in allowed)
        self._now = now
        self._remembered: OrderedDict[tuple[CertificateId, str], Revocation] = OrderedDict()

    async def ask(self, certificate: CertificateId, url: str) -> Revocation:
        """What the responder of a URL says; FAILED, with the reason, where that can't be learnt."""
        key = certificate, url
        known = self._remembered.get(key)
        if known is not None and known.next_update is not None and known.next_update > self._now():
            return known
        try:
            async with asyncio.timeout(TIME_LIMIT):
                answer = self._read(certificate, await self._post(url, _request(certificate)))
        except NoAnswer as error:
            return Revocation(RevocationStatus.FAILED, reason=str(error))
        except (TimeoutError, httpx.TimeoutException):
            return Revocation(RevocationStatus.FAILED, reason=f"no answer in {TIME_LIMIT:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Revocation(RevocationStatus.FAILED, reason=str(error) or type(error).__name__)
        if answer.next_update is not None:
            self._remembered[key] = answer
            self._remembered.move_to_end(key)
            while len(self._remembered) > _MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        return answer

    async def _post(self, url: str, request: bytes) -> bytes:
        target = await self._target(url)
        headers = {
            "Host": target.header,
            "Content-Type": "application/ocsp-request",
            "Accept": "application/ocsp-response",
        }
        async with (
            httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=TIME_LIMIT) as client,
            client.stream(
                "POST", target.url, content=request, headers=headers, extensions={"sni_hostname": target.host}
            ) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise NoAnswer(f"it answers {response.status_code}")
            body = b""
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _MOST_BYTES:
                    raise NoAnswer("its answer is too long")
        return body

    async def _target(self, text: str) -> _Target:
        """Where to connect to; raises NoAnswer for what a charger has no business to send us to."""
        if len(text) > _LONGEST_URL:
            raise NoAnswer("its URL is too long")
        url = httpx.URL(text)
        if url.scheme not in _DEFAULT_PORTS or not url.host or url.userinfo:
            raise NoAnswer("its URL is none of http or https")
        host, port = url.host.lower(), url.port or _DEFAULT_PORTS[url.scheme]
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(info[4][0]) for info in found]
        if not {host, f"{host}:{port}"} & self._allowed:
            addresses = [address for address in addresses if _is_public(address)]
        if not addresses:
            raise NoAnswer(f"{host} is no public address; the setting ocsp-responders can allow it")
        header = host if url.port is None else f"{host}:{port}"
        return _Target(url.copy_with(host=addresses[0]), host, header)

    def _read(self, certificate: CertificateId, der: bytes) -> Revocation:
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise NoAnswer(f"it answers {response.response_status.name.lower()}")
        now = self._now()
        for single in response.responses:
            if not is_about(single, certificate):
                continue
            ends = single.next_update_utc
            if single.this_update_utc > now + _CLOCK_SKEW or (ends is not None and ends < now - _CLOCK_SKEW):
                raise NoAnswer("its answer is of another time")
            return Revocation(_STATUSES[single.certificate_status], der, ends)
        raise NoAnswer("its answer is about another certificate")


def is_about(single: ocsp.OCSPSingleResponse, certificate: CertificateId) -> bool:
    """Whether a response is about this certificate."""
    with suppress(ValueError):
        return (
            single.serial_number == int(certificate.serial_number, 16)
            and single.issuer_key_hash == bytes.fromhex(certificate.issuer_key_hash)
            and single.issuer_name_hash == bytes.fromhex(certificate.issuer_name_hash)
        )
    return False


def _request(certificate: CertificateId) -> bytes:
    make = _ALGORITHMS.get(certificate.hash_algorithm)
    if make is None:
        raise NoAnswer(f"the hash algorithm {certificate.hash_algorithm[:20]} is unknown")
    try:
        name, key = bytes.fromhex(certificate.issuer_name_hash), bytes.fromhex(certificate.issuer_key_hash)
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
            name, key, int(certificate.serial_number, 16), make()
        )
    except (ValueError, TypeError) as error:
        raise NoAnswer(f"the certificate's hash data is wrong: {error}") from error
    return builder.build().public_bytes(Encoding.DER)


def _is_public(address: str) -> bool:
    parsed = ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_global and not parsed.is_multicast
