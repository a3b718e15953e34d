"""What plug and charge asks about certificates of contracts, in no version's words; `mcpp.certificates` answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol


class CertificateId(NamedTuple):
    """What names a certificate without showing it (RFC 6960 §4.1.1, CertID)."""

    hash_algorithm: str
    """`SHA256`, `SHA384` or `SHA512`."""
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str
    """As the two before in hexadecimal digits."""


class RevocationStatus(StrEnum):
    """What a certificate's authority says of it."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    """It knows no such certificate."""
    FAILED = "failed"
    """Nothing could be learnt."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """The answer of a certificate's authority."""

    status: RevocationStatus
    der: bytes = b""
    """The OCSP response as it came; empty where nothing could be learnt."""
    next_update: datetime | None = None
    """Until when it holds; None where it doesn't say."""
    reason: str = ""
    """Why nothing could be learnt."""


class ContractVerdict(StrEnum):
    """Whether a contract's certificate is good."""

    ACCEPTED = "accepted"
    SIGNATURE_ERROR = "signature_error"
    EXPIRED = "expired"
    REVOKED = "revoked"
    CHAIN_ERROR = "chain_error"
    """It leads to no root that is trusted here, or its revocation can't be ruled out."""
    MISSING = "missing"
    """What was shown is no certificate of this contract."""


class Shown(NamedTuple):
    """What a vehicle shows of its contract, by way of a charge point."""

    contract_id: str
    """The eMAID."""
    chain: str | None
    """PEM, the contract's certificate first; None where the charge point has checked it."""
    certificates: Sequence[tuple[CertificateId, str]]
    """Those whose revocation is to be asked for, each with the URL of its responder."""


class Contracts(Protocol):
    """Checks of certificates that chargers and vehicles show."""

    async def revocation(self, certificate: CertificateId, urls: Sequence[str]) -> Revocation:
        """Ask the responders of these URLs, one after the other, whether a certificate was revoked.

        The response's signature isn't checked: whoever gets it does that.
        """
        ...

    async def verdict(self, shown: Shown) -> ContractVerdict:
        """Whether a contract's certificate leads to a trusted root and is good."""
        ...
