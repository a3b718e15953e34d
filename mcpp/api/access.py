"""Who may ask: the `Host` and `Origin` rule for every path, the bearer token for what isn't public.

A page from elsewhere in a browser of this network must not reach the server: neither by a name of its own that
resolves to the server's address (DNS rebinding: `Host`), nor by a request across origins (`Origin`).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from fastapi import Depends
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from mcpp.api.failed_logins import FailedLogins
from mcpp.api.problems import ApiError
from mcpp.api.proxies import FindClient

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")

_AUTHORITY: Final = re.compile(r"(?:\[(?P<address>[0-9A-Fa-f:.%]+)\]|(?P<name>[^:/?#@\[\]\s]+))(?::(?P<port>\d{1,5}))?")

_IDENTITIES: Final = "/api/v1/charge-points/"

_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


DOCUMENTED_TOKEN: Final = Depends(
    HTTPBearer(auto_error=False, description="The setting api-token.", scheme_name="api-token")
)
"""For OpenAPI only: the guard asks for the token, on paths that don't exist as well."""


@dataclass(frozen=True, slots=True)
class AccessRules:
    """The rules of one listener."""

    http_host: str
    """The address that it listens on."""
    allowed_hosts: tuple[str, ...] = ()
    """Names that a request may carry as `Host`, with any port, beside loopback's, the machine's and the listener's."""
    machine_names: tuple[str, ...] = ()
    """The machine's own."""
    api_token: str | None = None
    """What requests on /api and /metrics must bring; None for nothing."""
    metrics_open: bool = False
    """/metrics needs no token."""
    counted_as: Callable[[str], str | None] = lambda address: address
    """For which network an address stands where wrong tokens are counted; None where they aren't."""
    find_client: FindClient | None = None
    """Who makes a request by way of a proxy; None where none is trusted."""

    def protects(self, path: str) -> bool:
        """Whether a request needs the token."""
        prefixes = ("/api",) if self.metrics_open else ("/api", "/metrics")
        return self.api_token is not None and any(path == p or path.startswith(f"{p}/") for p in prefixes)


class Guard:
    """Refuses requests that break the rules, before anything else sees them."""

    def __init__(self, app: ASGIApp, rules: AccessRules) -> None:
        self._app = app
        names = (*LOOPBACK_NAMES, rules.http_host, *rules.machine_names, *rules.allowed_hosts)
        self._names = frozenset(map(_canonical_name, names))
        # On a wildcard address, the one that a connection came in on is the listener's own, too.
        self._own_address_counts = _is_wildcard(rules.http_host)
        self._failed_logins = FailedLogins(rules.counted_as)
        self._rules = rules
        self._token = (rules.api_token or "").encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refusal = await self._refusal(scope)
            if refusal is not None:
                await refusal.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _refusal(self, scope: Scope) -> ApiError | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_allowed(hosts[0], scope):
            return _forbidden("this is no Host that the server answers to; the setting allowed-hosts names them")
        if any(not _same_origin(origin, hosts[0]) for origin in headers.getlist("origin")):
            return _forbidden("requests from another origin are refused")
        if self._rules.protects(scope["path"]) and not self._is_authorized(headers):
            return await self._unauthorized(scope, headers)
        if scope["path"].startswith(_IDENTITIES) and b"%2f" in scope.get("raw_path", b"").lower():
            # Decoded it would be taken for the path's own, and the request for another one.
            return ApiError(HTTPStatus.BAD_REQUEST, "bad_request", "an identity has no slash (OCPP-J 1.6 §3.1.1)")
        return None

    async def _unauthorized(self, scope: Scope, headers: Headers) -> ApiError:
        # Who shows no token guesses none.
        address = (scope.get("client") or ("", 0))[0]
        wait = await self._failed_logins.add(address) if "authorization" in headers else None
        if wait is None:
            return ApiError(
                HTTPStatus.UNAUTHORIZED,
                "unauthorized",
                "send the api-token as Authorization: Bearer …",
                headers={"WWW-Authenticate": "Bearer"},
            )
        detail = f"too many wrong tokens have come from this address; try again in {wait} s"
        return ApiError(
            HTTPStatus.TOO_MANY_REQUESTS, "too_many_failed_logins", detail, headers={"Retry-After": str(wait)}
        )

    def _is_allowed(self, host: str, scope: Scope) -> bool:
        name_and_port = _name_and_port(host, "80")
        if name_and_port is None:
            return False
        name, _ = name_and_port
        if name in self._names:
            return True
        server = scope.get("server")
        return self._own_address_counts and server is not None and name == _canonical_name(server[0])

    def _is_authorized(self, headers: Headers) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        # Headers are Latin-1 text; the comparison takes the same time wherever the first difference is.
        return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode("latin-1"), self._token)


def _forbidden(detail: str) -> ApiError:
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
