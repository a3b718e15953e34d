"""`mcpp call`: one OCPP operation, sent through the API of a running server."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import click
from click.shell_completion import CompletionItem

from mcpp import __version__
from mcpp.reads.terminal_text import printable

if TYPE_CHECKING:
    import ssl

    import httpx  # 0.1 s, so imported where it's used: completion of an operation does without

FAILED: Final = 1
"""Exit code where the charge point didn't answer: refused, failed, or no server there."""

_CONNECT_TIMEOUT: Final = 10.0
"""Seconds."""

_ANSWER_TIMEOUT: Final = 1_200.0
"""Seconds: longer than the server waits for a queue of 32 commands that all time out."""

_COMPLETION_TIMEOUT: Final = 0.5
"""Seconds that the Tab key may take."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def _complete_charge_point(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The connected charge points, where the server lists them at once; completion never complains."""
    import httpx

    try:
        timeout = httpx.Timeout(_COMPLETION_TIMEOUT)
        with _client(ctx.params["api_url"], ctx.params["api_token"], ctx.params["api_ca"], timeout) as client:
            page = client.get("/api/v1/charge-points", params={"connected": "true", "limit": 1000}).json()
        return [
            CompletionItem(item["id"], help=" ".join(filter(None, (item["vendor"], item["model"]))) or None)
            for item in page["items"]
            if item["id"].startswith(incomplete)
        ]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError):
        return []


def _complete_action(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [
        CompletionItem(name, help=profile)
        for name, profile in _operations().items()
        if name.lower().startswith(incomplete.lower())
    ]


def _operations() -> dict[str, str]:
    """What a central system may send: the name of each action, and its profile."""
    from mcpp.ocppj.actions import Sender
    from mcpp.server.versions import VERSIONS  # 0.1 s of models

    return {
        name: action.profile
        for version in VERSIONS
        for name, action in version.actions.items()
        if action.sender is not Sender.CHARGE_POINT
    }


@click.command()
@click.argument("charge_point", shell_complete=_complete_charge_point)
@click.argument("action", shell_complete=_complete_action)
@click.argument("payload", metavar="[JSON]", default="{}")
@click.option(
    "--api-url",
    envvar="MCPP_API_URL",
    default="http://127.0.0.1:8080",
    show_default=True,
    show_envvar=True,
    metavar="URL",
    help="Where the server's HTTP listener is.",
)
@click.option(
    "--api-token",
    envvar="MCPP_API_TOKEN",
    show_envvar=True,
    metavar="TEXT",
    help="Bearer token, where the server has one. Better set by variable: other users of the machine can read flags.",
)
@click.option(
    "--api-ca",
    envvar="MCPP_API_CA",
    show_envvar=True,
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="PEM file with the certificate to trust for https, where the system doesn't: the authority's, or the "
    "server's own.",
)
def call(charge_point: str, action: str, payload: str, api_url: str, api_token: str | None, api_ca: str | None) -> int:
    """Send one OCPP operation to a charge point.

    It goes through the running server; the charge point's answer is printed as JSON.

    CHARGE_POINT is the identity that it connects with, ACTION the operation as OCPP spells it, JSON the payload of its
    request in OCPP's spelling, {} where there is none; - reads it from standard input.

    For example: mcpp call CP-1 Reset '{"type": "Soft"}'

    Exit code 0: the charge point answered, be it Accepted or Rejected. 1: it could not be asked or gave no answer;
    standard error says why. 2: wrong use.
    """
    _check_action(action)
    if not charge_point:
        raise click.UsageError("CHARGE_POINT is empty: give the identity that it connects with")
    if api_token is not None and not all("!" <= c <= "~" for c in api_token):
        raise click.UsageError("--api-token: must be visible ASCII characters without blanks, as the server's is")
    body = _read_payload(payload)
    import httpx

    try:
        timeout = httpx.Timeout(_ANSWER_TIMEOUT, connect=_CONNECT_TIMEOUT)
        with _client(api_url, api_token, api_ca, timeout) as client:
            path = f"/api/v1/charge-points/{_segment(charge_point)}/commands/{action}"
            answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError) as error:
        raise click.UsageError(
            f"--api-url: {api_url!r} is no URL of a server ({error}); try http://HOST:PORT"
        ) from error
    except httpx.TransportError as error:
        cause = printable(str(error) or type(error).__name__)
        click.echo(f"no answer from {api_url}: {cause}; {_hint(cause)}", err=True)
        return FAILED
    return _show(answer)


def _hint(cause: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in cause:
        return "give the certificate to trust with --api-ca, and the name that it is for in --api-url"
    return "is mcpp serve running there?"


def _check_action(action: str) -> None:
    known = _operations()
    if action in known:
        return
    by_lower_case = {name.lower(): name for name in known}
    nearest = get_close_matches(action.lower(), by_lower_case, n=1)
    hint = f"did you mean {by_lower_case[nearest[0]]}?" if nearest else f"there are {', '.join(sorted(known))}"
    raise click.UsageError(f"{printable(action)} is no operation that a central system sends; {hint}")


def _read_payload(argument: str) -> bytes:
    """The payload as given, once it's known to be a JSON object. Raises click.UsageError, which says where it isn't."""
    try:
        body = sys.stdin.buffer.read() if argument == "-" else argument.encode()
        payload = json.loads(body.decode(), parse_constant=_no_constant)
    except UnicodeError as error:
        raise click.UsageError(f"the payload is not UTF-8 text: {error}") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        found = printable(error.doc[error.pos : error.pos + 20])
        at = f"at {found}" if found else "where it ends"
        raise click.UsageError(f"the payload is not JSON: {error.msg} in {where}, {at}") from error
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"the payload is not JSON: {error}") from error
    if not isinstance(payload, dict):
        raise click.UsageError('the payload is not a JSON object, such as {} or {"type": "Soft"}')
    return body


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _segment(identity: str) -> str:
    """An identity as one segment of a path; one of only dots would be taken for a step."""
    return quote(identity, safe="") if identity.strip(".") else identity.replace(".", "%2E")


def _client(api_url: str, api_token: str | None, api_ca: str | None, timeout: httpx.Timeout) -> httpx.Client:
    import httpx

    verify: ssl.SSLContext | bool = True
    if api_ca is not None:
        import ssl

        try:
            verify = ssl.create_default_context(cafile=api_ca)
        except ssl.SSLError as error:
            raise click.UsageError(f"--api-ca: {api_ca} holds no certificate in PEM form") from error

    return httpx.Client(
        base_url=api_url,
        headers={"User-Agent": f"mcpp/{__version__}"} | ({"Authorization": f"Bearer {api_token}"} if api_token else {}),
        timeout=timeout,
        verify=verify,
        trust_env=httpx.URL(api_url).host not in _LOOPBACK,  # no proxy leads to this machine
    )


def _show(answer: httpx.Response) -> int:
    """Prints a charge point's answer, or why there's none on standard error. Returns the exit code."""
    try:
        found: object = answer.json()
    except ValueError:
        found = None
    if answer.is_success and isinstance(found, dict) and "response" in found:
        click.echo(_as_json(found["response"]))
        return 0
    for line in _failure(answer, found if isinstance(found, dict) else {}):
        click.echo(printable(line), err=True)
    return FAILED


def _as_json(response: object) -> str | bytes:
    """Laid out for a reader on a terminal, else compact; a charge point can't send control characters to either."""
    if sys.stdout.isatty():
        return printable(json.dumps(response, ensure_ascii=False, indent=2), keep="\n")
    # A lone surrogate has no UTF-8; its escape means the same.
    return json.dumps(response, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")


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
