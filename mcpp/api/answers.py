"""Answers that are made without a model: for lists that are long, and for what is JSON already."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.responses import Response


def as_json(
    content: Mapping[str, object], status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """JSON of what is JSON-like; an orjson.Fragment goes in as it is."""
    return Response(orjson.dumps(content), status, headers, media_type="application/json")
