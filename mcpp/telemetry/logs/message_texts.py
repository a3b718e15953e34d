"""The usual lines of messages as JSON text, put together from parts that are ready.

The fields, their values and their order are those of `message_lines`; dicts and their way to JSON cost five times as
much.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import orjson

from mcpp.ocppj.flow import Flow

_CHARGE_POINTS: Final = 16_384
"""Whose identities are kept ready."""


def exchange_text(flow: Flow, size: int, seconds: float, began: str, ended: str) -> str:
    """The lines of a charge point's CALL and of our CALLRESULT of this size, with their timestamps.

    Raises orjson.JSONEncodeError for what JSON can't hold: half a surrogate pair.
    """
    trace = f',"trace_id":"{flow.correlation_id}","span_id":"{flow.span_id:016x}"' if flow.span_id else ""
    if flow.session_correlation_id is not None:
        trace += f',"session_correlation_id":"{flow.session_correlation_id}"'
    subject = "" if flow.connector_id is None else f',"connector_id":{flow.connector_id}'
    if flow.transaction_id is not None:
        subject += f',"transaction_id":{flow.transaction_id}'
    common = (
        f'"info","event":"ocpp_message","category":"ocpp","correlation_id":"{flow.correlation_id}"{trace}'
        f"{_charge_point(flow.peer.identity)}{subject}{_action(flow.action)}"
        f',"message_id":{orjson.dumps(flow.message_id).decode()},"direction":'
    )
    return (
        f'{{"timestamp":"{began}","level":{common}"in","message_type":"call","size_bytes":{flow.size_bytes}}}\n'
        f'{{"timestamp":"{ended}","level":{common}"out","message_type":"call_result","size_bytes":{size},'
        f'"duration_ms":{seconds * 1000:.3f}}}\n'
    )


@lru_cache(_CHARGE_POINTS)
def _charge_point(identity: str) -> str:
    return f',"charge_point_id":{orjson.dumps(identity).decode()}'


@lru_cache
def _action(action: str) -> str:
    """The action of a CALL that has a handler, so there are few."""
    return f',"action":{orjson.dumps(action).decode()}' if action else ""
