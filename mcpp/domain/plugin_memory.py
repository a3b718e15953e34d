"""What plugins keep across restarts: small JSON values, each plugin's under keys of its own."""

from __future__ import annotations

import json

from pydantic import JsonValue

from mcpp_generated.db.queries import Queries


def remember(q: Queries, plugin: str, key: str, value: JsonValue) -> None:
    """Keep a value under a key, in place of the last one; None forgets it."""
    if value is None:
        q.forget_for_plugin(plugin=plugin, key=key)
    else:
        q.remember_for_plugin(plugin=plugin, key=key, value=json.dumps(value))


def recall(q: Queries, plugin: str) -> dict[str, JsonValue]:
    """All that a plugin remembers."""
    return {row.key: json.loads(row.value) for row in q.list_plugin_memory(plugin=plugin)}
