"""A delivery as an HTTP request, signed as Standard Webhooks has it (https://www.standardwebhooks.com), version 1."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx

from mcpp import __version__
from mcpp.plugins.builtin.webhook.receiver import Delivery, NotDelivered

_ANSWER_LIMIT: Final = 64 * 1024
"""Bytes of an answer that are read, so that its connection can be used again."""


class Post:
    """Posts deliveries to one URL, signed. Redirects aren't followed, cookies aren't kept."""

    def __init__(self, url: str, key: bytes, timeout: float, now: Callable[[], datetime]) -> None:
        """`timeout`: seconds for everything, from the connection to the answer's end."""
        # Its line for each request would show the whole URL, and that often is a secret.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._url = httpx.URL(url)
        self._key = key
        self._timeout = timeout
        self._now = now
        self._client = httpx.AsyncClient(
            timeout=None,  # noqa: S113  a limit for each step is none for the whole; see __call__
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            headers={"content-type": "application/json", "user-agent": f"mcpp/{__version__}"},
        )

    @property
    def name(self) -> str:
        """Whom it reaches, as log lines may show it: without path, query and credentials."""
        return f"{self._url.scheme}://{self._url.netloc.decode()}"

    async def __call__(self, delivery: Delivery, number: int) -> None:
        """Post once; what isn't answered by 2xx in time isn't delivered."""
        # Signed again each time, since receivers refuse an old timestamp.
        headers = signed_headers(self._key, delivery.id, int(self._now().timestamp()), delivery.body)
        try:
            async with asyncio.timeout(self._timeout):
                status = await self._post(delivery.body, {**headers, "webhook-attempt": str(number)})
        except TimeoutError as error:
            raise NotDelivered(f"no answer within {self._timeout:g} s") from error
        except Exception as error:
            raise NotDelivered(f"{type(error).__name__}: {error}") from error
        if not httpx.codes.is_success(status):
            redirect = ", and redirects are not followed" if httpx.codes.is_redirect(status) else ""
            raise NotDelivered(f"HTTP {status}{redirect}")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _post(self, body: bytes, headers: dict[str, str]) -> int:
        async with self._client.stream("POST", self._url, content=body, headers=headers) as response:
            size = 0
            async for part in response.aiter_raw():
                size += len(part)
                if size > _ANSWER_LIMIT:
                    break
            return response.status_code


def signed_headers(key: bytes, delivery_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The headers that prove who sent a body and when; `timestamp` in seconds since 1970."""
    content = f"{delivery_id}.{timestamp}.".encode() + body
    digest = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {"webhook-id": delivery_id, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{digest}"}
