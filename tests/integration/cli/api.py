"""A small HTTP server that answers as the API is told to: what `mcpp call` sends, and what it makes of any answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple

from pydantic import JsonValue


class Request(NamedTuple):
    method: str
    target: str
    """As it stood in the request line."""
    authorization: str | None
    content_type: str | None
    body: str


@dataclass
class Api:
    """The next answer, and the requests so far."""

    url: str
    status: int = 200
    content_type: str = "application/json"
    body: bytes = b"{}"
    requests: list[Request] = field(default_factory=list)

    def answers(self, status: int, body: JsonValue, content_type: str = "application/json") -> None:
        self.status, self.content_type, self.body = status, content_type, json.dumps(body).encode()

    def answers_response(self, response: JsonValue) -> None:
        """The charge point answered."""
        found: JsonValue = {"action": "A", "message_id": "1", "duration_ms": 1.5, "correlation_id": "f" * 32}
        assert isinstance(found, dict)
        self.answers(200, {**found, "response": response})

    def answers_problem(self, status: int, code: str, detail: str, **members: JsonValue) -> None:
        problem: JsonValue = {"type": "about:blank", "title": "T", "status": status, "code": code, "detail": detail}
        assert isinstance(problem, dict)
        self.answers(status, {**problem, **members}, "application/problem+json")


@contextmanager
def running_api() -> Iterator[Api]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            seen = Request(
                self.command, self.path, self.headers.get("Authorization"), self.headers.get("Content-Type"), body
            )
            api.requests.append(seen)
            self.send_response(api.status)
            self.send_header("Content-Type", api.content_type)
            self.send_header("Content-Length", str(len(api.body)))
            self.end_headers()
            self.wfile.write(api.body)

        do_GET = do_POST = _answer  # noqa: N815  names of the base class

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as the base class has it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api = Api(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
