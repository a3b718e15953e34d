"""Answers that are typed by a wider version's models, in the version that the charge point speaks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias, get_args

from pydantic import BaseModel
from pydantic.main import IncEx

from mcpp.ocppj.actions import Res

Members: TypeAlias = "dict[str, IncEx | bool]"
"""What pydantic's `exclude` takes: True for a member, what of it where only a part, under `__all__` for a list."""


def encoder(response: type[Res], own: type[BaseModel]) -> Callable[[Res], bytes]:
    """As Action.encode_response, bound to what it needs, without the members that the `own` model doesn't have.

    An answer may come from a plugin or from what another version's charger said, so handlers can't know. A response
    without properties is always the same.
    """
    if not own.model_fields:
        return lambda _: b"{}"
    unknown = wider_members(response, own) or None
    return partial(response.__pydantic_serializer__.to_json, by_alias=True, exclude_none=True, exclude=unknown)


def wider_members(wide: type[BaseModel], narrow: type[BaseModel]) -> Members:
    """The members of the wide model, at any depth, that the narrow one of the same name lacks."""
    if wide is narrow:
        return {}
    found: Members = {}
    for name, field in wide.model_fields.items():
        own = narrow.model_fields.get(name)
        if own is None:
            found[name] = True
            continue
        inner, is_list = _model_in(field.annotation)
        other, _ = _model_in(own.annotation)
        if inner is not None and other is not None and (within := wider_members(inner, other)):
            found[name] = {"__all__": within} if is_list else within
    return found


def _model_in(annotation: object) -> tuple[type[BaseModel] | None, bool]:
    """The model that a member holds, and whether it holds a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    is_list = getattr(annotation, "__origin__", None) is list
    for argument in get_args(annotation):
        model, within_list = _model_in(argument)
        if model is not None:
            return model, is_list or within_list
    return None, False
