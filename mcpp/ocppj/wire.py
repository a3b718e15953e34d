"""What generated models are made of: their base class, and the types whose form on the wire OCPP fixes.

A model is valid exactly where the official JSON schema says so (`tests/contract` lists the few exceptions). Validation
is strict: text is no number, a number is no text, and `null` is not absence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from operator import is_, methodcaller
from typing import Annotated, Final, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_is_none = partial(is_, None)


class WireModel(BaseModel):
    """Base of every request, response and type of an OCPP version.

    Python code uses the names of the fields (`id_tag`), the wire their aliases (`idTag`), neither the other's.
    An absent property is `None`; it stays out of whatever the model is dumped to.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        validate_by_alias=False,
        validate_by_name=True,
        serialize_by_alias=True,
        # Each is built at its first use: a fleet needs a third of them, a start none.
        defer_build=True,
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        """Distinguish `null` from absence: an optional property may be absent, but the contract knows no null."""
        schema = handler(source)
        model = handler.resolve_ref_schema(schema)
        if model["type"] == "model" and model["schema"]["type"] == "model-fields":
            for field in model["schema"]["fields"].values():
                default = field["schema"]
                if default["type"] == "default" and default["schema"]["type"] == "nullable":
                    nullable = default["schema"]
                    default["schema"] = core_schema.json_or_python_schema(nullable["schema"], nullable)
                    field["serialization_exclude_if"] = _is_none
                _bound(field["schema"])
        return schema


_SMALLEST_INTEGER: Final = -(2**63)
_LARGEST_INTEGER: Final = 2**63 - 1
"""What a database holds. Most contracts set no bounds to integers, or only the lower one."""


def _bound(schema: CoreSchema) -> None:
    """Bound what one message may cost: a list has no more than one error, an integer no more than 64 bits."""
    if schema["type"] == "default" or schema["type"] == "nullable":
        _bound(schema["schema"])
    elif schema["type"] == "json-or-python":
        _bound(schema["json_schema"])
        _bound(schema["python_schema"])
    elif schema["type"] == "list":
        items = cast("core_schema.ListSchema", schema)
        items["fail_fast"] = True
        _bound(items["items_schema"])
    elif schema["type"] == "int":
        integer = cast("core_schema.IntSchema", schema)
        integer["ge"] = max(integer.get("ge", _SMALLEST_INTEGER), _SMALLEST_INTEGER)
        integer["le"] = min(integer.get("le", _LARGEST_INTEGER), _LARGEST_INTEGER)


# RFC 3339 §5.6. By itself pydantic also reads Unix times, a comma, a blank for the T, and times without seconds.
_RFC_3339 = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"


# Without a frame of Python's, as most messages have a moment. What it can't hold is refused before.
_to_utc: Final = methodcaller("astimezone", UTC)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def to_rfc_3339(value: datetime) -> str:
    """A moment in UTC as it's written on the wire."""
    return value.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


class _Rfc3339:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(pattern=_RFC_3339)
        # The pattern hands on a Python str, which a strict datetime would refuse.
        parsed = core_schema.datetime_schema(tz_constraint="aware", strict=False, ge=_FIRST, le=_LAST)
        given = core_schema.datetime_schema(tz_constraint="aware", ge=_FIRST, le=_LAST)
        return core_schema.no_info_after_validator_function(
            _to_utc,
            core_schema.json_or_python_schema(core_schema.chain_schema([text, parsed]), given),
            serialization=core_schema.plain_serializer_function_ser_schema(to_rfc_3339, when_used="json"),
        )


Timestamp: TypeAlias = Annotated[datetime, _Rfc3339]
"""A moment, always in UTC; on the wire RFC 3339 with three digits of milliseconds and `Z`."""


def _refuse_text(value: object) -> object:
    if isinstance(value, str | bool):
        raise PydanticCustomError("decimal_type", "Input should be a number")
    return value


def _to_number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


# A number of JSON without a frame of Python's: an integer stays exact, what binary64 can't hold is refused.
_JSON_NUMBER: Final = core_schema.custom_error_schema(
    core_schema.union_schema(
        [core_schema.float_schema(strict=True, allow_inf_nan=False), core_schema.int_schema(strict=True)],
        mode="smart",
    ),
    custom_error_type="decimal_type",
)


@dataclass(frozen=True, slots=True)
class DecimalNumber:
    """Annotation of a `Decimal` that is a number in JSON, not a text, within the bounds of its contract."""

    minimum: Decimal | None = None
    maximum: Decimal | None = None
    multiple_of: Decimal | None = None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema for pydantic."""
        decimal = core_schema.decimal_schema(
            ge=self.minimum, le=self.maximum, multiple_of=self.multiple_of, strict=False
        )
        return core_schema.json_or_python_schema(
            core_schema.chain_schema([_JSON_NUMBER, decimal]),
            core_schema.no_info_before_validator_function(_refuse_text, decimal),
            serialization=core_schema.plain_serializer_function_ser_schema(_to_number, when_used="json"),
        )


Number: TypeAlias = Annotated[Decimal, DecimalNumber()]
"""A decimal of any size and precision that binary64 has (RFC 8259 §6); a number in JSON."""

Tenths: TypeAlias = Annotated[Decimal, DecimalNumber(multiple_of=Decimal("0.1"))]
"""A decimal with at most one digit after the point, such as a limit in A or W (OCPP 1.6 §7.14); a number in JSON.

From 10^27 on, decimal arithmetic has no room for the tenths, and the value is refused.
"""

_URI = r"^[A-Za-z][A-Za-z0-9+.-]*:([A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$"

Uri: TypeAlias = Annotated[str, Field(pattern=_URI)]
"""A URI as it was written: its scheme and its characters are checked (RFC 3986 §2, §3.1), nothing is rewritten."""
