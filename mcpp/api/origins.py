"""Which `Host` this server answers to, and whether a request comes from a page of its own."""

from __future__ import annotations

import re
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from mcpp.api.callers import SAFE_METHODS
from mcpp.api.problems import ApiError
from mcpp.phrases import Phrase

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")

_AUTHORITY: Final = re.compile(r"(?:\[(?P<address>[0-9A-Fa-f:.%]+)\]|(?P<name>[^:/?#@\[\]\s]+))(?::(?P<port>\d{1,5}))?")

_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}

_FETCH_SITE: Final = "sec-fetch-site"
_OWN_PAGE: Final = "same-origin"
_NO_PAGE: Final = "none"
"""What browsers say in Sec-Fetch-Site (W3C Fetch Metadata) where a page here asks, or a person at the address bar."""

_OTHER_ORIGIN: Final = Phrase("requests from another origin are refused")


class Hosts:
    """The names and addresses that a listener answers to."""

    def __init__(self, http_host: str, others: tuple[str, ...]) -> None:
        """`http_host` is what it listens on; loopback's names count, too."""
        self._names = frozenset(map(_canonical_name, (*LOOPBACK_NAMES, http_host, *others)))
        # On a wildcard address, the one that a connection came in on is the listener's own, too.
        self._own_address_counts = _is_wildcard(http_host)

    def refusal(self, scope: Scope, headers: Headers) -> ApiError | None:
        """Why a request must not be answered to whoever's page it comes from; None where nothing speaks against it."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_allowed(hosts[0], scope):
            return forbidden(Phrase("this is no Host that the server answers to; the setting allowed-hosts names them"))
        sites = headers.getlist(_FETCH_SITE)
        is_own_page = sites == [_OWN_PAGE]
        for origin in headers.getlist("origin"):
            # A form of a page that sends no referrer has the origin null; the browser says whose it is all the same.
            if not _same_origin(origin, hosts[0]) and not (origin == "null" and is_own_page):
                return forbidden(_OTHER_ORIGIN)
        if scope["method"] not in SAFE_METHODS and not {*sites} <= {_OWN_PAGE, _NO_PAGE}:
            return forbidden(_OTHER_ORIGIN)
        return None

    def _is_allowed(self, host: str, scope: Scope) -> bool:
        name_and_port = _name_and_port(host, "80")
        if name_and_port is None:
            return False
        name, _ = name_and_port
        if name in self._names:
            return True
        server = scope.get("server")
        return self._own_address_counts and server is not None and name == _canonical_name(server[0])


def refusal_of_cookie(scope: Scope, headers: Headers, *, is_page: bool) -> ApiError | None:
    """Why a cookie doesn't count here, though it's a right one: browsers send it along with what other pages ask.

    To be asked after `Hosts.refusal`. A link from elsewhere may lead to a page.
    """
    sites = headers.getlist(_FETCH_SITE)
    if scope["method"] in SAFE_METHODS:
        if is_page or {*sites} <= {_OWN_PAGE, _NO_PAGE}:
            return None
        return forbidden(_OTHER_ORIGIN)
    if sites == [_OWN_PAGE] or headers.getlist("origin"):
        return None
    return forbidden(
        Phrase(
            "with a cookie, a change must come with an Origin or Sec-Fetch-Site of this server, as browsers send them; "
            "a program sends Authorization: Bearer …"
        )
    )


def forbidden(detail: str) -> ApiError:
    """It is refused, token or not."""
    return ApiError(HTTPStatus.FORBIDDEN, "forbidden", detail)


def _canonical_name(name: str) -> str:
    """A name in one spelling: lower case, no final dot; an address as the standard library writes it."""
    try:
        address = ip_address(name)
    except ValueError:
        return name.lower().removesuffix(".")
    mapped = getattr(address, "ipv4_mapped", None)  # how a socket on :: sees a client that speaks IPv4
    return str(mapped or address)


def _is_wildcard(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _same_origin(origin: str, host: str) -> bool:
    """Whether a page of this origin was served under this Host. Schemes aren't compared: a proxy may add TLS."""
    scheme, _, authority = origin.partition("://")
    port = _DEFAULT_PORTS.get(scheme.lower())
    return port is not None and _name_and_port(authority, port) == _name_and_port(host, port)


def _name_and_port(authority: str, default_port: str) -> tuple[str, str] | None:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return None
    return _canonical_name(match["address"] or match["name"]), match["port"] or default_port
