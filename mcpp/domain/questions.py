"""What a site's own logic may be asked before a charger is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mcpp.domain.authorization import Authorization
from mcpp.domain.memory import NO_EVSE


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationQuestion:
    """May this id tag charge? Asked for Authorize and for a start (OCPP 1.6 §4.1, §4.8; 2.0.1 C01, E03)."""

    charge_point_id: str
    correlation_id: str
    connector_id: int | None
    """None for Authorize, which names none."""
    id_tag: str
    by_the_books: Authorization
    """What the server answers if no plugin does."""
    evse_id: int = NO_EVSE
    token_type: str | None = None
    """How it was presented, such as `ISO14443`; None where the version doesn't tell (1.6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractCertificateQuestion:
    """A vehicle wants a contract's certificate installed or updated (OCPP 2.0.1 part 2, M01, M02)."""

    charge_point_id: str
    correlation_id: str
    schema_version: str
    """Of ISO 15118, as its namespace says."""
    action: str
    """`Install` or `Update`."""
    exi_request: str
    """The vehicle's request, EXI in base64, for the contract's provider."""
    most_chains: int | None
    """How many contracts it takes (OCPP 2.1)."""
    preferred_contracts: Sequence[str]
    """Ids of contracts, the most wanted first (OCPP 2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractCertificateAnswer:
    """The provider's answer."""

    exi_response: str
    """EXI in base64, at most 5,600 characters for a charge point of OCPP 2.0.1."""
    remaining_contracts: int | None = None
    """How many more there are for the vehicle (OCPP 2.1)."""


class DataTransferStatus(StrEnum):
    """How a vendor's message was taken (OCPP 1.6 §7.24)."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    UNKNOWN_MESSAGE_ID = "UnknownMessageId"
    UNKNOWN_VENDOR_ID = "UnknownVendorId"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTransferQuestion:
    """A vendor's message of its own (OCPP 1.6 §4.3)."""

    charge_point_id: str
    correlation_id: str
    vendor_id: str
    message_id: str | None
    data: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTransferAnswer:
    """The answer to a vendor's message."""

    status: DataTransferStatus
    data: str | None = None
