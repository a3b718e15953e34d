"""The payloads of commands as components of the OpenAPI document, by the names of the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Generic

from pydantic import BaseModel, Field, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from mcpp.api.commands import answer_name
from mcpp.ocppj.actions import AnyAction, Res, Rewrite

Schema = dict[str, Any]


class CommandAnswer(BaseModel, Generic[Res]):
    """A charge point's answer to a command."""

    action: str
    message_id: str = Field(description="OCPP-J's UniqueId of the CALL.")
    response: Res
    duration_ms: float = Field(description="From the request to the answer, the wait for commands before it included.")
    correlation_id: str = Field(description="On every log line of the command, too.")


def command_schemas(actions: Iterable[AnyAction]) -> dict[str, Schema]:
    """The schemas of all requests, responses and answers, and of what they are made of."""
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    for action in actions:
        # mypy can't know that a variable is a type.
        answer = create_model(answer_name(action.name), __base__=CommandAnswer[action.response])  # type: ignore[name-defined]
        models += [(action.request, "validation"), (answer, "validation")]
    _, document = models_json_schema(
        models, by_alias=True, ref_template="#/components/schemas/{model}", schema_generator=_WireSchema
    )
    schemas: dict[str, Schema] = document["$defs"]
    for action in actions:
        _allow_rewrites(action, schemas[action.request.__name__])
    return schemas


class _WireSchema(GenerateJsonSchema):
    """What the wire models take, closer than pydantic tells it by itself."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """An absent property is None in Python; on the wire it has no default."""
        is_absence = "default" in schema and schema["default"] is None
        return self.generate_inner(schema["schema"]) if is_absence else super().default_schema(schema)

    def chain_schema(self, schema: core_schema.ChainSchema) -> JsonSchemaValue:
        """A timestamp is a text that is a time: the second step says it all."""
        return self.generate_inner(schema["steps"][-1])

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """A decimal is a number, never text."""
        step = schema.get("multiple_of")
        return {"type": "number"} if step is None else {"type": "number", "multipleOf": float(step)}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  the parent's signature
        """The names say it."""
        return False


def _allow_rewrites(action: AnyAction, request: Schema) -> None:
    """Describe what MCPP fills in before it validates a request."""
    properties = request["properties"]
    for name, rewrite in action.rewrites.items():
        match rewrite:
            case Rewrite.STORED_CHARGING_PROFILE:
                properties[name] = {"anyOf": [properties[name], _REFERENCE]}
            case Rewrite.ALLOTTED_RESERVATION_ID:
                request["required"].remove(name)


_REFERENCE: Final = {
    "type": "object",
    "description": "The stored charging profile of this name.",
    "properties": {"$ref": {"type": "string"}},
    "required": ["$ref"],
    "additionalProperties": False,
}
