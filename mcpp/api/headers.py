"""Headers that tell browsers what not to do with an answer."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PLAIN: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    # With no-referrer, the origin of a page's own forms would be null.
    ("Referrer-Policy", "same-origin"),
)
"""On all that a listener answers, before the application sees it as well."""

_NOTHING: Final = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

PAGES: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""The Content-Security-Policy of the owner's pages: nothing inline, nothing from elsewhere."""

_A_YEAR: Final = b"max-age=31536000"

_INLINE_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)

CSP: Final = b"content-security-policy"


def policy_of_page(page: str) -> str:
    """The Content-Security-Policy of a page that needs its own scripts, those within it, and this server."""
    scripts = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in _INLINE_SCRIPT.findall(page)
    )
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )


class SecurityHeaders:
    """Adds what depends on the request; what an answer says itself stands."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = [(CSP, _NOTHING), (b"cache-control", b"no-store")]
        if scope["scheme"] == "https":
            wanted.append((b"strict-transport-security", _A_YEAR))

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                said = {name.lower() for name, _ in headers}
                message = {**message, "headers": [*headers, *(each for each in wanted if each[0] not in said)]}
            await send(message)

        await self._app(scope, receive, send_secured)
