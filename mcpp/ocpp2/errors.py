"""Error codes as OCPP-J 2.0.1 and 2.1 spell them (§4.3); 1.6 writes some of them in another way."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mcpp.ocppj.errors import ErrorCode

SPELLING: Final[Mapping[ErrorCode, str]] = MappingProxyType(
    {
        ErrorCode.NOT_IMPLEMENTED: "NotImplemented",
        ErrorCode.NOT_SUPPORTED: "NotSupported",
        ErrorCode.INTERNAL_ERROR: "InternalError",
        ErrorCode.PROTOCOL_ERROR: "ProtocolError",
        ErrorCode.SECURITY_ERROR: "SecurityError",
        ErrorCode.FORMAT_VIOLATION: "FormatViolation",
        ErrorCode.PROPERTY_CONSTRAINT_VIOLATION: "PropertyConstraintViolation",
        ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION: "OccurrenceConstraintViolation",
        ErrorCode.TYPE_CONSTRAINT_VIOLATION: "TypeConstraintViolation",
        ErrorCode.GENERIC_ERROR: "GenericError",
        ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED: "MessageTypeNotSupported",
        ErrorCode.RPC_FRAMEWORK_ERROR: "RpcFrameworkError",
    }
)

COUNTED_AS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{spelling: spelling for spelling in SPELLING.values()},
        # One series for one meaning: as 1.6 has it, which was there first.
        "FormatViolation": "FormationViolation",
        "OccurrenceConstraintViolation": "OccurenceConstraintViolation",
    }
)
"""Error codes as charge points spell them, each with the one that it is counted as."""
