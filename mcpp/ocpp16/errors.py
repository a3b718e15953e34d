"""Error codes as OCPP-J 1.6 §4.2.3 spells them; 2.0.1 writes some of them in another way."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mcpp.ocppj.errors import ErrorCode

SPELLING: Final = MappingProxyType(
    {
        ErrorCode.NOT_IMPLEMENTED: "NotImplemented",
        ErrorCode.NOT_SUPPORTED: "NotSupported",
        ErrorCode.INTERNAL_ERROR: "InternalError",
        ErrorCode.PROTOCOL_ERROR: "ProtocolError",
        ErrorCode.SECURITY_ERROR: "SecurityError",
        ErrorCode.FORMAT_VIOLATION: "FormationViolation",
        ErrorCode.PROPERTY_CONSTRAINT_VIOLATION: "PropertyConstraintViolation",
        ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION: "OccurenceConstraintViolation",
        ErrorCode.TYPE_CONSTRAINT_VIOLATION: "TypeConstraintViolation",
        ErrorCode.GENERIC_ERROR: "GenericError",
        # 1.6 has no codes for frames.
        ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED: "NotSupported",
        ErrorCode.RPC_FRAMEWORK_ERROR: "FormationViolation",
    }
)

COUNTED_AS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{spelling: spelling for spelling in SPELLING.values()},
        # Charge points that speak OCPP 2.0.1, too, spell these by its table (OCPP-J 2.0.1 §4.3).
        "FormatViolation": SPELLING[ErrorCode.FORMAT_VIOLATION],
        "OccurrenceConstraintViolation": SPELLING[ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION],
        # Known to that table only.
        "MessageTypeNotSupported": "MessageTypeNotSupported",
        "RpcFrameworkError": "RpcFrameworkError",
    }
)
"""Error codes as charge points spell them, each with the one that it is counted as."""
