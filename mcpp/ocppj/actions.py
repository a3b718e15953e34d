"""The typed name of an OCPP operation: its request, its response, who may send it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

Req = TypeVar("Req", bound=BaseModel)
Res = TypeVar("Res", bound=BaseModel)
Model = TypeVar("Model", bound=BaseModel)


def decode(model: type[Model], payload: bytes) -> Model:
    """The model from JSON, by the names of the wire only; raises pydantic's ValidationError."""
    decoded: Model = model.__pydantic_validator__.validate_json(payload, by_alias=True, by_name=False)
    return decoded


def encode(model: BaseModel) -> bytes:
    """Compact JSON, by the names of the wire; absent fields stay absent, and what was repaired comes as it is."""
    return model.__pydantic_serializer__.to_json(model, by_alias=True, exclude_none=True, warnings=False)


def encode_text(model: BaseModel) -> str:
    """As `encode`, as text."""
    return encode(model).decode()


class EncodedResponse(bytes, Generic[Res]):
    """A response payload that was formed without its model, where that pays; the same bytes as `encode` makes."""

    __slots__ = ()


class Sender(StrEnum):
    """Who may send the CALL of an action (OCPP 1.6 §4 and §5: operations initiated by one side or both)."""

    CHARGE_POINT = "charge_point"
    CENTRAL_SYSTEM = "central_system"
    BOTH = "both"


class Rewrite(StrEnum):
    """What the central system fills in before a command's payload is validated; the contract table says where."""

    STORED_CHARGING_PROFILE = "stored_charging_profile"
    """`{"$ref": "name"}` stands for the stored charging profile of that name."""
    ALLOTTED_RESERVATION_ID = "allotted_reservation_id"
    """A property that is left out gets a number that no charge point was ever given for a reservation."""
    ALLOTTED_REQUEST_ID = "allotted_request_id"
    """As above, for what a charge point reports later under that number (OCPP 2.0.1, requestId)."""
    ALLOTTED_REMOTE_START_ID = "allotted_remote_start_id"
    """As above, for the transaction that a remote start brings about (OCPP 2.0.1 F01, remoteStartId)."""


@dataclass(frozen=True, slots=True)
class Action(Generic[Req, Res]):
    """One row of a version's action table.

    The methods that take a `Req` and a `Res` make the class invariant in both: without them a call with the wrong
    request type would pass the type checker silently, because a frozen class of `type[Req]` is covariant.
    """

    name: str
    request: type[Req]
    response: type[Res]
    profile: str
    sender: Sender
    version: str
    """The OCPP version whose table it is in, such as `1.6`."""
    rewrites: Mapping[str, Rewrite] = field(default_factory=dict, hash=False)
    """By the property of the request that is rewritten."""

    def decode_request(self, payload: bytes) -> Req:
        """As `decode`."""
        return decode(self.request, payload)

    def decode_response(self, payload: bytes) -> Res:
        """As `decode`."""
        return decode(self.response, payload)

    def encode_request(self, request: Req) -> bytes:
        """As `encode`."""
        return encode(request)

    def encode_response(self, response: Res) -> bytes:
        """As `encode`."""
        return encode(response)


@dataclass(frozen=True, slots=True)
class Send(Generic[Req]):
    """One row of a version's table of messages that are never answered (SEND, OCPP 2.1 part 4)."""

    name: str
    request: type[Req]
    profile: str
    sender: Sender
    version: str
    """As of an `Action`."""

    def decode_request(self, payload: bytes) -> Req:
        """As `decode`."""
        return decode(self.request, payload)

    def encode_request(self, request: Req) -> bytes:
        """As `encode`; with it the class is invariant, as an `Action`."""
        return encode(request)


class AnySend(Protocol):
    """What holds for every SEND alike."""

    @property
    def name(self) -> str: ...
    @property
    def request(self) -> type[BaseModel]: ...
    @property
    def profile(self) -> str: ...
    @property
    def sender(self) -> Sender: ...
    @property
    def version(self) -> str: ...


class AnyAction(Protocol):
    """What holds for every action alike: a table's value type, where both models are only known to be models."""

    @property
    def name(self) -> str: ...
    @property
    def request(self) -> type[BaseModel]: ...
    @property
    def response(self) -> type[BaseModel]: ...
    @property
    def profile(self) -> str: ...
    @property
    def sender(self) -> Sender: ...
    @property
    def version(self) -> str: ...
    @property
    def rewrites(self) -> Mapping[str, Rewrite]: ...
