"""The HTTP application: its routes, what guards them, and the document that describes them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, TypeAlias

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from mcpp import __version__
from mcpp.api import (
    certificates,
    charge_points,
    charging_profiles,
    commands,
    conformance,
    connections,
    devices,
    docs,
    events,
    files,
    frames,
    id_tags,
    installation,
    learning,
    logging,
    login,
    people,
    reports,
    reservations,
    session_views,
    states,
    summary,
    system,
    tokens,
    transactions,
    unmatched,
)
from mcpp.api.access import DOCUMENTED_WAYS, AccessRules, Guard
from mcpp.api.body_limit import BodyLimit
from mcpp.api.charging_profiles import STORED_PROFILE
from mcpp.api.command_schemas import command_schemas
from mcpp.api.commands import any_of, schema_name
from mcpp.api.failures import answer_failures
from mcpp.api.headers import SecurityHeaders
from mcpp.api.models import NamedProfile
from mcpp.api.problems import CORRELATION_PATTERN, Problem, answer_with_problems, documented
from mcpp.api.proxies import Forwarded
from mcpp.api.request_flow import CORRELATION_HEADER, RequestFlow, RequestObserver
from mcpp.api.routes import add_routes
from mcpp.api.services import ApiServices

_DESCRIPTION = """\
Times are UTC, RFC 3339, with milliseconds and `Z`. Energy is in Wh.

Lists are pages: take `next_cursor` as the parameter `cursor` until it is null. Errors are problems of RFC 9457 whose
`code` doesn't change.

A request that carries a `traceparent` (W3C Trace Context) goes on in that trace.
"""


def create_api(services: ApiServices, rules: AccessRules, requests: RequestObserver) -> FastAPI:
    """The ASGI application that answers the HTTP listener."""
    app = _Api(
        title="MCPP",
        summary="A central system for EV chargers that one person can run.",
        description=_DESCRIPTION,
        version=__version__,
        openapi_url=None,  # docs.py has it
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=documented(HTTPStatus.FORBIDDEN, HTTPStatus.INTERNAL_SERVER_ERROR),
        generate_unique_id_function=_operation_id,
        middleware=[
            Middleware(Guard, rules=rules, known=services.credentials.known, failed=services.failed_logins),
            Middleware(BodyLimit),
        ],
        # The framework's own would be a second one beside ours, with query strings and unmasked paths.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.services = services
    app.state.requests = requests
    app.state.rules = rules
    app.state.document = docs.Document(app.openapi)
    app.router.routes.extend(built_routes(hashable(services.commands.names), rules.metrics_open))
    answer_with_problems(app)
    answer_failures(app)
    return app


Operations: TypeAlias = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""What a central system may send, by name: the versions that have it, each with its profile there."""


def hashable(operations: Mapping[str, Mapping[str, str]]) -> Operations:
    """As `built_routes` takes them."""
    return tuple((name, tuple(by_version.items())) for name, by_version in operations.items())


@cache
def built_routes(operations: Operations, metrics_open: bool) -> tuple[BaseRoute, ...]:
    """The routes of the API, with a command for each of these operations.

    They know nothing of the application that has them. Building them takes most of its time, so a process that makes
    several applications, or forks, does it once.
    """
    whole = APIRouter(
        redirect_slashes=False,
        responses=documented(HTTPStatus.FORBIDDEN, HTTPStatus.INTERNAL_SERVER_ERROR),
        generate_unique_id_function=_operation_id,
    )
    problems = documented(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
    )
    for router in (
        summary.router,
        charge_points.router,
        devices.router,
        states.router,
        commands.create_router({name: dict(by_version) for name, by_version in operations}),
        transactions.router,
        session_views.router,
        id_tags.router,
        people.router,
        learning.router,
        reservations.router,
        charging_profiles.router,
        reports.router,
        unmatched.router,
        conformance.router,
        connections.router,
        files.router,
        frames.router,
        certificates.router,
        events.router,
        logging.router,
        login.router,
        tokens.router,
        installation.router,
    ):
        add_routes(whole, router, prefix="/api/v1", dependencies=DOCUMENTED_WAYS, responses=problems)
    add_routes(whole, system.router)
    add_routes(whole, login.login_router)
    add_routes(whole, system.metrics_router, dependencies=[] if metrics_open else DOCUMENTED_WAYS)
    add_routes(whole, docs.router)
    whole.mount(docs.ASSETS_PATH, docs.assets)
    return tuple(whole.routes)


def _operation_id(route: APIRoute) -> str:
    return route.name


class _Api(FastAPI):
    def build_middleware_stack(self) -> ASGIApp:
        """The framework's layers, with ours around them: they are around the answer to a failure, too."""
        # What is mounted has no endpoint: it is one itself.
        routes = {it.endpoint or it.app: it.path_format or "" for it in iter_route_contexts(self.routes)}
        flow = RequestFlow(super().build_middleware_stack(), self.state.requests, routes)
        secured = SecurityHeaders(flow)
        rules: AccessRules = self.state.rules
        return secured if rules.find_client is None else Forwarded(secured, rules.find_client)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, with the schemas that FastAPI knows by reference only: of problems and commands."""
        document = super().openapi()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        services: ApiServices = self.state.services
        if Problem.__name__ not in schemas:
            problem = Problem.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
            schemas.update(problem.pop("$defs"))
            schemas[Problem.__name__] = problem
            payloads = command_schemas(services.commands.actions)
            commands.require_bodies(document, services.commands.actions)
            clash = payloads.keys() & schemas.keys()
            assert not clash, f"the API's models must not bear names of OCPP: {sorted(clash)}"
            schemas.update(payloads)
            profiles = [schema_name(version, model.__name__) for version, model in services.charging_profiles.items()]
            schemas[STORED_PROFILE] = any_of(profiles)
            schemas[NamedProfile.__name__]["properties"]["profile"] = any_of([STORED_PROFILE])
            _describe_correlation(document)
        return document if services.credentials.known.needed else _without_security(document)


def _without_security(document: dict[str, Any]) -> dict[str, Any]:
    """As long as there is no token, none is needed."""
    paths = {
        path: {method: {**operation, "security": []} for method, operation in operations.items()}
        for path, operations in document["paths"].items()
    }
    return {**document, "paths": paths}


def _describe_correlation(document: dict[str, Any]) -> None:
    """Every answer has the header."""
    document["components"]["headers"] = {
        CORRELATION_HEADER: {
            "description": "On every log line of the request, and of what it set off; the id of its trace.",
            "required": True,
            "schema": {"type": "string", "pattern": CORRELATION_PATTERN},
        }
    }
    for path in document["paths"].values():
        for operation in path.values():
            for answer in operation["responses"].values():
                answer["headers"] = {CORRELATION_HEADER: {"$ref": f"#/components/headers/{CORRELATION_HEADER}"}}
