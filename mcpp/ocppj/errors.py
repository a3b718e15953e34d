"""What can go wrong with a message, named once for every OCPP version; a version folder spells the codes."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final, NamedTuple

from mcpp.phrases import Phrase, reworded


class ErrorCode(Enum):
    """The reasons of a CALLERROR (OCPP-J 1.6 §4.2.3, OCPP-J 2.0.1 §4.3), not yet in the spelling of a version."""

    NOT_IMPLEMENTED = auto()
    NOT_SUPPORTED = auto()
    INTERNAL_ERROR = auto()
    PROTOCOL_ERROR = auto()
    SECURITY_ERROR = auto()
    FORMAT_VIOLATION = auto()
    PROPERTY_CONSTRAINT_VIOLATION = auto()
    OCCURRENCE_CONSTRAINT_VIOLATION = auto()
    TYPE_CONSTRAINT_VIOLATION = auto()
    GENERIC_ERROR = auto()
    MESSAGE_TYPE_NOT_SUPPORTED = auto()
    RPC_FRAMEWORK_ERROR = auto()
    """The text is no OCPP-J frame, or its UniqueId can't be read."""


class CallFault(Exception):
    """Raised by a router or handler: the CALL at hand is answered with this CALLERROR."""

    def __init__(self, code: ErrorCode, description: str = "", details: dict[str, object] | None = None) -> None:
        super().__init__(description or code.name)
        self.code = code
        self.description = description
        self.details = details or {}


class Unanswerable(Exception):
    """Raised by a handler whose record could not be stored: no answer is sent, so that the charger repeats it."""


class CommandError(Exception):
    """Base of every reason why a CALL of ours brought no response."""


class CallRefused(CommandError):
    """The other side answered with a CALLERROR."""

    def __init__(self, code: str, description: str, details: dict[str, object]) -> None:
        text = f"{code}: {description}" if description else code
        super().__init__(reworded(text, "the charger answered with an error: “{original}”", original=text))
        self.code = code
        self.description = description
        self.details = details


class CallTimeout(CommandError):
    """No answer came in time."""


class ConnectionLost(CommandError):
    """The connection ended before an answer came."""


CONNECTION_ENDED: Final = Phrase("the connection ended")


class QueueFull(CommandError):
    """Too many commands wait for this charge point already."""


class NotConnected(CommandError):
    """The charge point has no connection."""

    def __init__(self, identity: str) -> None:
        super().__init__(Phrase("{identity} is not connected", identity=identity))


class NotStored(CommandError):
    """What must be stored before the CALL goes out could not be; it was not sent."""


class KeyChangesOpen(CommandError):
    """The charge point was sent too many new keys of which it isn't known which one it uses; this one was not sent."""


class InvalidAnswer(CommandError):
    """The answer breaks the contract beyond what can be repaired."""

    def __init__(self, description: str, code: ErrorCode = ErrorCode.FORMAT_VIOLATION) -> None:
        super().__init__(reworded(description, "the charger’s answer breaks OCPP: “{original}”", original=description))
        self.code = code


class UnknownAction(CommandError):
    """No OCPP version that is spoken here has such an action for a central system to send."""


class WrongVersion(UnknownAction):
    """The charge point speaks another OCPP version than the one that the action is of."""


class Mistake(NamedTuple):
    """Where a payload breaks the contract, and how."""

    location: str
    message: str


class InvalidPayload(CommandError):
    """The payload of a command breaks the contract; it was not sent."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(f"{where}: {what}" if where else what for where, what in mistakes))
        self.mistakes = tuple(mistakes)
