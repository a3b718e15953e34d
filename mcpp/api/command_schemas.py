"""The payloads of commands as components of the OpenAPI document, by the names of the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, Field, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from mcpp.api.commands import ANY_ANSWER, schema_name
from mcpp.ocppj.actions import AnyAction, Rewrite

Schema = dict[str, Any]


Response = TypeVar("Response")


class CommandAnswer(BaseModel, Generic[Response]):
    """A charge point's answer to a command."""

    action: str
    message_id: str = Field(description="OCPP-J's UniqueId of the CALL.")
    response: Response
    duration_ms: float = Field(description="From the request to the answer, the wait for commands before it included.")
    correlation_id: str = Field(description="On every log line of the command, too.")


def command_schemas(actions: Mapping[str, Sequence[AnyAction]]) -> dict[str, Schema]:
    """The schemas of all requests, responses and answers, and of what they are made of, named by their version."""
    any_answer = CommandAnswer[dict[str, object]].model_json_schema()
    schemas: dict[str, Schema] = {ANY_ANSWER: any_answer | {"title": ANY_ANSWER}}
    by_version: dict[str, list[AnyAction]] = {}
    for in_versions in actions.values():
        for action in in_versions:
            by_version.setdefault(action.version, []).append(action)
    for version, of_version in by_version.items():
        schemas |= _of_version(version, of_version)
    return schemas


def _of_version(version: str, actions: Sequence[AnyAction]) -> dict[str, Schema]:
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    for action in actions:
        # mypy can't know that a variable is a type.
        answer = create_model(f"{action.name}Answer", __base__=CommandAnswer[action.response])  # type: ignore[name-defined]
        models += [(action.request, "validation"), (answer, "validation")]
    template = f"#/components/schemas/{schema_name(version, '{model}')}"
    _, document = models_json_schema(models, by_alias=True, ref_template=template, schema_generator=_WireSchema)
    schemas: dict[str, Schema] = document["$defs"]
    for action in actions:
        _allow_rewrites(action, schemas[action.request.__name__])
    return {schema_name(version, name): schema for name, schema in schemas.items()}


class _WireSchema(GenerateJsonSchema):
    """What the wire models take, closer than pydantic's own schema describes it."""

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
