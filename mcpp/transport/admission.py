"""The question put to the application during the opening handshake: may this charge point connect?"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.domain.security_profiles import PeerCertificate, SecurityProfile
from mcpp.ocppj.flow import Peer
from mcpp.phrases import Phrase


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """What is known of a charge point that wants to connect."""

    identity: str
    remote: str
    """IP address that it comes from: of the other end of the socket, or as a trusted proxy says."""
    ocpp_versions: tuple[str, ...]
    """Those that both sides speak, such as `1.6`, in the charge point's order of preference; at least one."""
    user: str | None = None
    """Of HTTP basic authentication (OCPP-J 1.6 §6.2); None where none was sent."""
    password: bytes | None = field(default=None, repr=False)
    """As it was sent: text, or the bytes of a hexadecimal key."""
    encrypted: bool = False
    """Over TLS, here or at a trusted proxy."""
    certificate: PeerCertificate | None = None
    must_prove: bool = False
    """Only who proves who it is may connect: its address has more connections than its share."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """It may connect, as this peer."""

    peer: Peer
    epoch: int
    """The number of this connection among the charge point's: the end of an older one says nothing."""
    ocpp_version: str
    """That the connection speaks, one of those that were asked for."""
    security_profile: SecurityProfile = SecurityProfile.NONE
    """That the connection uses."""


@dataclass(frozen=True, slots=True)
class AdmissionRefused:
    """It may not; `text` becomes the body of the HTTP answer, and people read it."""

    status: HTTPStatus
    text: Phrase
    outcome: ConnectionOutcome
    retry_after: int | None = None
    """Seconds after which it may come again, where that is known."""


class Admission(Protocol):
    """Decides who may connect; may take its time within the handshake's limit."""

    async def admit(self, request: ConnectRequest) -> Admitted | AdmissionRefused:
        """The decision; an exception becomes HTTP 503."""
        ...
