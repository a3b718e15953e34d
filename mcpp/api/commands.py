"""`/charge-points/{id}/commands/{Action}`: what a person or a script asks of a charge point, in OCPP's own words."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from mcpp.api.answers import as_json
from mcpp.api.failures import COMMAND_STATUSES
from mcpp.api.problems import CLIENT_LEFT, ApiError, documented, not_found
from mcpp.api.routes import Routes
from mcpp.api.services import ApiServices, FromServices
from mcpp.csms.live import Exchange
from mcpp.domain.errors import no_charge_point
from mcpp.ocppj.actions import AnyAction, encode
from mcpp.ocppj.errors import NotConnected
from mcpp.phrases import Phrase

_PATIENCE_AT_THE_END: Final = 2.0
"""Seconds that a command may still be answered in once the server is asked to stop."""

ANY_ANSWER: Final = "CommandAnswer"
"""The OpenAPI component of an answer to whichever command."""

_PREFIX: Final = "/charge-points/{id}/commands"

_DESCRIPTION: Final = """\
OCPP's {action} ({profile} profile): the body is its request, and goes out as it is once it meets the contract. The
answer is 200 whatever the charge point says, `Rejected` too.

Commands to one charge point go out one after the other; one that still waits is taken back when its client leaves.
"""


def create_router(names: Mapping[str, Mapping[str, str]]) -> Routes:
    """A path for each operation that a central system may send: the versions that have it, with its profile there."""
    router = Routes(prefix=_PREFIX, tags=["commands"])
    for name, in_versions in sorted(names.items()):
        router.add_api_route(
            f"/{name}",
            _endpoint(name),
            methods=["POST"],
            name=f"send_{_snake_case(name)}",
            summary=name,
            description=_DESCRIPTION.format(action=name, profile=next(iter(in_versions.values()))),
            response_class=Response,
            responses=answered_by(*(answer_name(version, name) for version in in_versions)),
            openapi_extra={"requestBody": _documented_body(name, in_versions)},
        )
    router.add_api_route("/{action}", _refuse_unknown, methods=["POST"], include_in_schema=False)
    return router


def answered_by(*schemas: str) -> dict[int | str, dict[str, Any]]:
    """The answers to a command, for OpenAPI: which components, one for each version that has it."""
    answered = {
        "description": "The charge point answered.",
        "content": {"application/json": {"schema": any_of(schemas)}},
    }
    return {HTTPStatus.OK: answered, **documented(HTTPStatus.BAD_REQUEST, *COMMAND_STATUSES)}


def schema_name(version: str, name: str) -> str:
    """The OpenAPI component of something of an OCPP version: `Ocpp16ResetRequest`, `Ocpp201ResetRequest`."""
    return f"Ocpp{version.replace('.', '')}{name}"


def answer_name(version: str, action: str) -> str:
    """The OpenAPI component that a command's answer is."""
    return schema_name(version, f"{action}Answer")


async def send_command(request: Request, services: ApiServices, identity: str, action: str, payload: bytes) -> Response:
    """Send an operation and answer with the charge point's response; raises CommandError and ApiError."""
    return await answer_command(request, services, identity, services.commands.send(identity, action, payload))


async def answer_command(
    request: Request, services: ApiServices, identity: str, command: Awaitable[Exchange[BaseModel]]
) -> Response:
    """The answer to a command that is under way; raises what it raises, ApiError for an unknown charge point."""
    try:
        exchange = await _while_wanted(request, services.stopping, command)
    except NotConnected:
        if not await services.charge_points.is_known(identity):
            raise not_found(no_charge_point(identity)) from None
        raise
    if exchange is None:
        return Response(status_code=CLIENT_LEFT)
    answer = {
        "action": exchange.action,
        "message_id": exchange.message_id,
        "response": orjson.Fragment(encode(exchange.response)),
        "duration_ms": round(exchange.duration_ms, 3),
        "correlation_id": exchange.correlation_id,
    }
    return as_json(answer)


def _endpoint(action: str) -> Callable[..., Coroutine[None, None, Response]]:
    async def send(request: Request, services: FromServices, id: str) -> Response:  # noqa: A002  the interface's name
        return await send_command(request, services, id, action, await request.body())

    return send


async def _refuse_unknown(action: str) -> Response:
    raise not_found(Phrase("a central system can't send {action!r}", action=action))


async def _while_wanted(
    request: Request, stopping: asyncio.Event, command: Awaitable[Exchange[BaseModel]]
) -> Exchange[BaseModel] | None:
    """The command's outcome; None where the client left before. Raises ApiError where the server stops before."""
    sending = asyncio.ensure_future(command)
    leaving = asyncio.ensure_future(_client_left(request))
    ending = asyncio.ensure_future(_server_ends(stopping))
    try:
        await asyncio.wait({sending, leaving, ending}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            return sending.result()
        if ending.done():
            raise ApiError(
                HTTPStatus.SERVICE_UNAVAILABLE, "shutting_down", Phrase("the server stops; no answer has come yet")
            )
        return None
    finally:
        for task in (sending, leaving, ending):
            task.cancel()
        await asyncio.gather(sending, leaving, ending, return_exceptions=True)


async def _client_left(request: Request) -> None:
    """Through once the connection is closed; the body has been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _server_ends(stopping: asyncio.Event) -> None:
    """Through when the charge points have had their time to answer; the listener allows requests a second more."""
    await stopping.wait()
    await asyncio.sleep(_PATIENCE_AT_THE_END)


def _documented_body(action: str, versions: Iterable[str]) -> dict[str, Any]:
    names = [schema_name(version, f"{action}Request") for version in versions]
    return {"required": False, "content": {"application/json": {"schema": any_of(names)}}}


def require_bodies(document: dict[str, Any], actions: Mapping[str, Sequence[AnyAction]]) -> None:
    """Say in an OpenAPI document which commands need a body: those that need a property in every version."""
    for name, in_versions in actions.items():
        needed = [any(it.is_required() for it in action.request.model_fields.values()) for action in in_versions]
        document["paths"][f"/api/v1{_PREFIX}/{name}"]["post"]["requestBody"]["required"] = all(needed)


def any_of(schemas: Sequence[str]) -> dict[str, Any]:
    """The schema of what is one of these components."""
    references = [{"$ref": f"#/components/schemas/{schema}"} for schema in schemas]
    return references[0] if len(references) == 1 else {"anyOf": references}


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
