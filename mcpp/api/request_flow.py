"""Every request is a flow: it goes on in its caller's trace or begins one, and what it sets off belongs to it.

The way that a trace comes in is W3C Trace Context (`traceparent`); the way that its id goes out is a header.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcpp.api.callers import caller_in
from mcpp.ocppj.flow import TraceContext, current_trace_context

CORRELATION_HEADER: Final = "X-Correlation-Id"
"""On every answer: what its log lines and its spans are found by."""

_POLLED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""What machines ask for again and again."""

_TRACEPARENT: Final = "traceparent"

_PROPAGATOR: Final = TraceContextTextMapPropagator()


class ObservedRequest(Protocol):
    """A request that is being answered."""

    @property
    def cause(self) -> TraceContext:
        """Of what the request sets off."""
        ...

    def end(self, *, route: str | None, status: int, by: str | None) -> None:
        """All of its answer is out, or nobody waits for it any more; `route` is None where there is nothing.

        `by` is the name of who asked (mcpp.api.callers), None where nobody said.
        """
        ...


class RequestObserver(Protocol):
    """What measures requests; telemetry implements it."""

    def begin(
        self, method: str, path: str, *, scheme: str, remote: str, caller: SpanContext | None, polled: bool
    ) -> ObservedRequest:
        """A request has come, in the trace of its `caller` if that sent one; `polled` ones come all the time."""
        ...


class RequestFlow:
    """The outermost layer of the application: nothing is answered outside of it."""

    def __init__(self, app: ASGIApp, observer: RequestObserver, routes: Mapping[object, str]) -> None:
        """`routes` are the templates of the paths, by what answers there."""
        self._app = app
        self._observer = observer
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        remote, _ = scope.get("client") or ("", 0)
        request = self._observer.begin(
            scope["method"],
            path,
            scheme=scope["scheme"],
            remote=remote,
            caller=_caller(scope),
            polled=path in _POLLED,
        )
        # Never set back: the task ends with its request, and the server's own line on what failed comes last.
        current_trace_context.set(request.cause)
        header = (CORRELATION_HEADER.lower().encode(), request.cause.correlation_id.encode())
        status = 500  # what the server answers where the application doesn't

        async def send_identified(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), header]}
            await send(message)

        try:
            await self._app(scope, receive, send_identified)
        finally:
            caller = caller_in(scope)
            request.end(
                route=self._routes.get(scope.get("endpoint")), status=status, by=None if caller is None else caller.name
            )


def _caller(scope: Scope) -> SpanContext | None:
    """The span that the request was made in, where a valid header says so; more than one isn't valid."""
    given = Headers(scope=scope).getlist(_TRACEPARENT)
    if len(given) != 1:
        return None
    context = _PROPAGATOR.extract({_TRACEPARENT: given[0]}, Context())
    caller = get_current_span(context).get_span_context()
    return caller if caller.is_valid else None
