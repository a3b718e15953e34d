"""Where chargers and people reach this server: what they type, with the machine's address."""

from __future__ import annotations

from collections.abc import Sequence

from mcpp.reads.connect import ConnectInfo
from mcpp.server.machine import in_url, reachable_hosts
from mcpp.settings import Registration, Settings, is_loopback
from mcpp.transport.tls import ServerTls


class ConnectGuide:
    """Knows what to type into a charger."""

    def __init__(self, settings: Settings, tls: ServerTls | None) -> None:
        self._settings = settings
        self._tls = tls
        self.port = settings.ocpp_port
        """The one that is listened on, once it is known."""

    def url(self) -> str:
        """The likeliest URL, to which a charger appends its identity."""
        return self._urls()[0]

    def info(self) -> ConnectInfo:
        """All that a person needs to know."""
        settings = self._settings
        urls = self._urls()
        return ConnectInfo(
            url=urls[0],
            urls=urls,
            only_this_machine=settings.ocpp_url is None and is_loopback(settings.ocpp_host),
            any_path=not settings.ocpp_path_strict,
            encrypted=urls[0].startswith("wss:"),
            security_profile=settings.security_profile,
            password_needed=settings.security_profile in {1, 2},
            certificate_needed=settings.security_profile == 3,
            must_be_registered=settings.registration is Registration.CLOSED,
        )

    def _urls(self) -> list[str]:
        settings = self._settings
        if settings.ocpp_url is not None:
            return [f"{settings.ocpp_url}/"]
        bases = base_urls("ws", settings.ocpp_host, self.port, self._tls)
        return [f"{base}{settings.ocpp_path.rstrip('/')}/" for base in bases]


def base_urls(scheme: str, host: str, port: int, tls: ServerTls | None) -> list[str]:
    """URLs without a path of what listens on `host`, the likeliest first; `scheme` is the one without TLS.

    With TLS only those for which the certificate holds, if it names any: a client that checks it takes no other.
    """
    hosts = reachable_hosts(host)
    if tls is not None:
        scheme, hosts = f"{scheme}s", _certified(hosts, tls.certificate.names)
    return [f"{scheme}://{in_url(each)}:{port}" for each in hosts]


def _certified(hosts: Sequence[str], names: Sequence[str]) -> list[str]:
    certain = [name for name in names if "*" not in name]
    # A name moves with the machine; an address of the certificate counts while the machine has it.
    addresses = [host for host in hosts if host in certain]
    by_name = [name for name in certain if not _is_address(name) and name != "localhost"]
    return [*by_name, *addresses] or list(hosts)


def _is_address(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()
