"""Between 2.1's models, which everything here is typed by, and those of the version that a charge point speaks.

2.1 takes all that 2.0.1 takes, but for what `contracts/ocpp21.toml` lists, so the way is by the JSON of one model into
the other of the same action.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from types import ModuleType
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from mcpp.csms.answers import AnyMeaning, Meaning
from mcpp.csms.decoding import invalid_payload, widened
from mcpp.csms.live import Exchange, LiveChargePoints
from mcpp.ocppj.actions import Action, AnyAction, Req, Res, decode, encode
from mcpp.ocppj.errors import CallFault, InvalidAnswer, NotConnected, WrongVersion
from mcpp.ocppj.readers import Repairs
from mcpp.phrases import Phrase
from mcpp_generated.ocpp21 import actions as actions21

M = TypeVar("M", bound=BaseModel)

_ANY_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


def as_21(model: type[M], told: BaseModel, repairs: Repairs) -> M:
    """What a message says, in 2.1's model; the very one where it's 2.1's already."""
    return told if isinstance(told, model) else widened(told, model, repairs, _ANY_TIME)


def of_version(action: AnyAction, request: BaseModel, actions: Mapping[str, AnyAction]) -> tuple[AnyAction, BaseModel]:
    """A CALL of ours in a version's own models.

    Raises WrongVersion where the version has no such action, InvalidPayload where it has no such field or value.
    """
    own = actions.get(action.name)
    if own is None:
        version = next(iter(actions.values())).version
        raise WrongVersion(Phrase("OCPP {version} has no {action}", version=version, action=action.name))
    if own.request is action.request:
        return own, request
    try:
        return own, decode(own.request, encode(request))
    except ValidationError as error:
        raise invalid_payload(error) from error


class Calls:
    """Sends CALLs that are typed by 2.1's models in the version that each charge point speaks."""

    def __init__(self, live: LiveChargePoints, actions: Mapping[str, AnyAction], repairs: Repairs) -> None:
        self._live = live
        self._actions = actions
        self._repairs = repairs

    async def call(self, identity: str, action: Action[Req, Res], request: Req) -> Res:
        """As LiveChargePoints.call; raises WrongVersion and InvalidPayload, too (see `of_version`)."""
        return (await self.send(identity, action, request))[1]

    async def send(self, identity: str, action: Action[Req, Res], request: Req) -> tuple[Exchange[BaseModel], Res]:
        """As `call`, with the exchange in the charge point's own version."""
        own, told = of_version(action, request, self._actions)
        if not self._live.connected(identity):
            raise NotConnected(identity)
        exchange = await self._live.send(identity, own, told, encode(told))
        try:
            return exchange, as_21(action.response, exchange.response, self._repairs)
        except CallFault as fault:
            raise InvalidAnswer(fault.description, fault.code) from fault


def widened_meanings(meanings: Mapping[str, AnyMeaning], repairs: Repairs) -> dict[str, AnyMeaning]:
    """What answers mean, by action, for requests and responses of any version's models."""

    def widen(name: str, meaning: AnyMeaning) -> AnyMeaning:
        action = actions21.ACTIONS[name]

        def of_any(request: BaseModel, response: BaseModel) -> Meaning | None:
            try:
                wide = as_21(action.request, request, repairs), as_21(action.response, response, repairs)
            except CallFault:
                # A number that 2.1 has bounds for, such as an id below 0: nothing that is stored has it.
                return None
            return meaning(*wide)

        return of_any

    return {name: widen(name, meaning) for name, meaning in meanings.items()}


def repairs_of(repairs: Repairs, models: ModuleType) -> Repairs:
    """The same repairs for another version's models as well: for the classes and members that it has, by their names.

    What its models have taken is read by the wider ones then, so both are there.
    """
    return Repairs(
        stand_ins={**repairs.stand_ins}
        | {
            (own, field): _same_member(stand_in, models)
            for (model, field), stand_in in repairs.stand_ins.items()
            if (own := _model(model, models)) is not None and field in own.model_fields
        },
        meanings={**repairs.meanings}
        | {
            kind: {text: kind(member.value) for text, member in meanings.items() if _has(kind, member)}
            for wide, meanings in repairs.meanings.items()
            if (kind := _list(wide, models)) is not None
        },
        others={**repairs.others}
        | {
            kind: kind(other.value)
            for wide, other in repairs.others.items()
            if (kind := _list(wide, models)) is not None and _has(kind, other)
        },
        open_lists=repairs.open_lists.union(
            kind for wide in repairs.open_lists if (kind := _list(wide, models)) is not None
        ),
        kept_in={**repairs.kept_in}
        | {
            (own, field): tuple(place for place in places if place in own.model_fields)
            for (model, field), places in repairs.kept_in.items()
            if (own := _model(model, models)) is not None and field in own.model_fields
        },
        object_texts=repairs.object_texts.union(
            (own, field) for model, field in repairs.object_texts if (own := _model(model, models)) is not None
        ),
    )


def _model(model: type[BaseModel], models: ModuleType) -> type[BaseModel] | None:
    own = getattr(models, model.__name__, None)
    return own if isinstance(own, type) and issubclass(own, BaseModel) else None


def _list(kind: type[Enum], models: ModuleType) -> type[Enum] | None:
    own = getattr(models, kind.__name__, None)
    return own if isinstance(own, type) and issubclass(own, Enum) else None


def _has(kind: type[Enum], member: Enum) -> bool:
    return any(member.value == own.value for own in kind)


def _same_member(stand_in: object, models: ModuleType) -> object:
    """A stand-in that is a member of a list, or a model, as the other version has it."""
    if isinstance(stand_in, Enum) and (own := _list(type(stand_in), models)) is not None:
        return own(stand_in.value)
    if isinstance(stand_in, BaseModel) and (model := _model(type(stand_in), models)) is not None:
        return decode(model, encode(stand_in))
    return stand_in
