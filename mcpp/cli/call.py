"""`mcpp call`: one OCPP operation, sent through the API of a running server."""

from __future__ import annotations

import json
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem

from mcpp.cli.api_client import (
    FAILED,
    Api,
    NoAnswer,
    api_of,
    api_options,
    body_of,
    client_of,
    say_failure,
    segment,
    talking,
)
from mcpp.reads.terminal_text import printable

if TYPE_CHECKING:
    import httpx  # 0.1 s, so imported where it's used: completion of an operation does without

_ANSWER_TIMEOUT: Final = 1_200.0
"""Seconds: longer than the server waits for a queue of 32 commands that all time out."""

_COMPLETION_TIMEOUT: Final = 0.5
"""Seconds that the Tab key may take."""


def _complete_charge_point(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The connected charge points, where the server lists them at once; completion never complains."""
    import httpx

    try:
        with client_of(api_of(ctx.params), httpx.Timeout(_COMPLETION_TIMEOUT)) as client:
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
    from mcpp.server.versions import VERSIONS

    return dict(sorted((name, profile) for version in reversed(VERSIONS) for name, profile in version.commands.items()))


@click.command()
@click.argument("charge_point", shell_complete=_complete_charge_point)
@click.argument("action", shell_complete=_complete_action)
@click.argument("payload", metavar="[JSON]", default="{}")
@api_options
def call(charge_point: str, action: str, payload: str, api: Api) -> int:
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
    body = _read_payload(payload)
    try:
        with talking(api, _ANSWER_TIMEOUT) as client:
            path = f"/api/v1/charge-points/{segment(charge_point)}/commands/{action}"
            answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    except NoAnswer:
        return FAILED
    return _show(answer)


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


def _show(answer: httpx.Response) -> int:
    """Prints a charge point's answer, or why there's none on standard error. Returns the exit code."""
    found = body_of(answer)
    if answer.is_success and "response" in found:
        click.echo(_as_json(found["response"]))
        return 0
    say_failure(answer)
    return FAILED


def _as_json(response: object) -> str | bytes:
    """Laid out for a reader on a terminal, else compact; a charge point can't send control characters to either."""
    if sys.stdout.isatty():
        return printable(json.dumps(response, ensure_ascii=False, indent=2), keep="\n")
    # A lone surrogate has no UTF-8; its escape means the same.
    return json.dumps(response, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")
