"""The signature of a delivery, as Standard Webhooks has it (https://www.standardwebhooks.com), in version 1."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping


def signed_headers(key: bytes, delivery_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The headers that prove who sent a body and when; `timestamp` in seconds since 1970."""
    content = f"{delivery_id}.{timestamp}.".encode() + body
    digest = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {"webhook-id": delivery_id, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{digest}"}
