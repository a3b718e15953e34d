"""Answers that are made without a model: for lists that are long, and for what is JSON already."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import orjson
from starlette.responses import Response

CSV: Final = "text/csv"


def as_json(
    content: Mapping[str, object], status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """JSON of what is JSON-like; an orjson.Fragment goes in as it is."""
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def prefers_csv(accept: str) -> bool:
    """Whether CSV is asked for by name, and JSON isn't rather (RFC 9110 §12.5.1)."""
    weights = {CSV: 0.0, "application/json": 0.0}
    for media_range in accept.lower().split(","):
        name, *parameters = (part.strip() for part in media_range.split(";"))
        if name in weights:
            weight = next((p[2:] for p in parameters if re.fullmatch(r"q=[01](\.\d{0,3})?", p)), "1")
            weights[name] = float(weight)
    return 0 < weights[CSV] >= weights["application/json"]
