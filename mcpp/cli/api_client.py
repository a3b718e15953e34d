"""The API of a running server, for the commands that go through it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import click

from mcpp import __version__
from mcpp.reads.terminal_text import printable

if TYPE_CHECKING:
    import ssl

    import httpx  # 0.1 s, so imported where it's used: completion of an operation does without

FAILED: Final = 1
"""Exit code where the server or the charge point refused, failed, or wasn't there."""

CONNECT_TIMEOUT: Final = 10.0
"""Seconds."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class NoAnswer(Exception):
    """The server didn't answer; what there is to say was said."""


@dataclass(frozen=True, slots=True)
class Api:
    """Where the server is, and what it takes to talk to it."""

    url: str
    token: str | None = field(repr=False)
    ca: str | None
    """A file with the certificate to trust, where the system doesn't."""


def api_of(parameters: Mapping[str, str | None]) -> Api:
    """The API that the options of a command name."""
    return Api(parameters["api_url"] or "", parameters["api_token"], parameters["api_ca"])


def api_options(command: Callable[..., int]) -> Callable[..., int]:
    """Options that say where the server is, and what it asks for: the parameter `api` of the command."""

    @wraps(command)
    def with_api(*, api_url: str, api_token: str | None, api_ca: str | None, **others: object) -> int:
        return command(api=Api(api_url, api_token, api_ca), **others)

    url = click.option(
        "--api-url",
        envvar="MCPP_API_URL",
        default="http://127.0.0.1:8080",
        show_default=True,
        show_envvar=True,
        metavar="URL",
        help="Where the server's HTTP listener is.",
    )
    token = click.option(
        "--api-token",
        envvar="MCPP_API_TOKEN",
        show_envvar=True,
        metavar="TEXT",
        help="Bearer token, where the server has one. "
        "Better set by variable: other users of the machine can read flags.",
    )
    ca = click.option(
        "--api-ca",
        envvar="MCPP_API_CA",
        show_envvar=True,
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="PEM file with the certificate to trust for https, where the system doesn't: the authority's, or the "
        "server's own.",
    )
    return url(token(ca(with_api)))


def check_token(token: str | None) -> None:
    """Raises click.UsageError for what can't be a token."""
    if token is not None and not all("!" <= c <= "~" for c in token):
        raise click.UsageError("--api-token: must be visible ASCII characters without blanks, as the server's is")


def client_of(api: Api, timeout: httpx.Timeout) -> httpx.Client:
    """A client of the server. Raises click.UsageError for a file that holds no certificate."""
    import httpx

    verify: ssl.SSLContext | bool = True
    if api.ca is not None:
        import ssl

        try:
            verify = ssl.create_default_context(cafile=api.ca)
        except ssl.SSLError as error:
            raise click.UsageError(f"--api-ca: {api.ca} holds no certificate in PEM form") from error
    return httpx.Client(
        base_url=api.url,
        headers={"User-Agent": f"mcpp/{__version__}"} | ({"Authorization": f"Bearer {api.token}"} if api.token else {}),
        timeout=timeout,
        verify=verify,
        trust_env=httpx.URL(api.url).host not in _LOOPBACK,  # no proxy leads to this machine
    )


@contextmanager
def talking(api: Api, answer_timeout: float) -> Iterator[httpx.Client]:
    """A client for a block; says on standard error why there is no answer, and raises NoAnswer then.

    Raises click.UsageError for a URL that can't be one.
    """
    check_token(api.token)
    import httpx

    try:
        with client_of(api, httpx.Timeout(answer_timeout, connect=CONNECT_TIMEOUT)) as client:
            yield client
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError) as error:
        raise click.UsageError(
            f"--api-url: {api.url!r} is no URL of a server ({error}); try http://HOST:PORT"
        ) from error
    except httpx.TransportError as error:
        cause = printable(str(error) or type(error).__name__)
        click.echo(f"no answer from {api.url}: {cause}; {_hint(cause)}", err=True)
        raise NoAnswer from error


def _hint(cause: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in cause:
        return "give the certificate to trust with --api-ca, and the name that it is for in --api-url"
    return "is mcpp serve running there?"


def body_of(answer: httpx.Response) -> dict[str, object]:
    """The JSON object that a server answered with; empty where it's none."""
    try:
        found: object = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def say_failure(answer: httpx.Response) -> None:
    """Why a request failed, on standard error."""
    for line in _failure(answer, body_of(answer)):
        click.echo(printable(line), err=True)


def segment(identity: str) -> str:
    """An identity as one segment of a path; one of only dots would be taken for a step."""
    return quote(identity, safe="") if identity.strip(".") else identity.replace(".", "%2E")


def _failure(answer: httpx.Response, problem: Mapping[str, object]) -> Iterator[str]:
    """A problem (RFC 9457) in a line or two."""
    if "code" not in problem:
        yield f"HTTP {answer.status_code} from {answer.url}: that is not MCPP's API; check --api-url"
        return
    yield f"{problem['code']}: {problem.get('detail') or problem.get('title') or f'HTTP {answer.status_code}'}"
    names = ("error_code", "error_description", "error_details")
    facts = [f"{name}: {_as_text(problem[name])}" for name in names if problem.get(name)]
    if facts:
        yield ", ".join(facts)
    if answer.status_code == 401:
        yield "give the server's token with --api-token or MCPP_API_TOKEN"


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
