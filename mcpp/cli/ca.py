"""`mcpp ca`: the built-in certificate authority. Its files are made here; all else goes through the running server."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import click

from mcpp.cli.api_client import FAILED, Api, NoAnswer, api_options, body_of, say_failure, segment, talking
from mcpp.cli.options import WholeNumber, given_flags, setting_options
from mcpp.cli.output import standard_output, write_table
from mcpp.errors import StartError
from mcpp.reads.terminal_text import printable
from mcpp.settings import Settings

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

_ANSWER_TIMEOUT: Final = 60.0
"""Seconds."""

_POLL_INTERVAL: Final = 0.5
"""Seconds between two looks at a roll-out."""

_SERVER_NAMES: Final = click.Option(
    ["--server-name", "server_names"],
    multiple=True,
    metavar="HOST",
    help="Host name or address by which chargers reach this server; may be given more than once.",
)

_COLUMNS: Final = {"id": True, "charge point": False, "status": False, "subject": False, "serial number": False}
_TIMES: Final = {"requested": False, "ends": False}


@click.group()
def ca() -> None:
    """The built-in certificate authority.

    It makes certificates for chargers, and for the OCPP listener. init and server-certificate work on the files of
    ca-directory, beside a running server, too. The others go through the running server.
    """


@ca.command(
    "init",
    params=[
        click.Option(["--name"], metavar="TEXT", help="CN of the authority. [default: MCPP CA and the host's name]"),
        click.Option(
            ["--years"],
            type=WholeNumber(1, 50),
            default=20,
            show_default=True,
            help="How long the authority is valid; chargers must get the next one before it ends.",
        ),
        _SERVER_NAMES,
        *setting_options("ca_directory"),
    ],
)
def init(name: str | None, years: int, server_names: tuple[str, ...], **options: object) -> None:
    """Make the authority: a key that only you can read, and its certificate.

    With --server-name the certificate of the OCPP listener is made, too, so that TLS works without any other authority.
    """
    from mcpp.certificates.authority import create_authority
    from mcpp.certificates.files import AUTHORITY_CERTIFICATE, AUTHORITY_KEY

    directory = _directory(options)
    common_name = name or f"MCPP CA {socket.gethostname()}"[:64]
    if not (0 < len(common_name) <= 64 and common_name.isprintable()):
        raise click.UsageError("--name: must be 1 to 64 printable characters")
    made = _usable(lambda: create_authority(directory, common_name, timedelta(days=365 * years), datetime.now(UTC)))
    click.echo(f"{directory / AUTHORITY_CERTIFICATE}: the authority {common_name}, until {made.expires_at:%Y-%m-%d}")
    click.echo(f"{directory / AUTHORITY_KEY}: its key. Keep a copy where nobody else gets at it: mcpp backup has none.")
    if server_names:
        _make_server_certificate(directory, server_names, _DEFAULT_DAYS)


_DEFAULT_DAYS: Final = 825
"""Of the listener's certificate: what TLS clients commonly take at most."""


@ca.command(
    "server-certificate",
    params=[
        _SERVER_NAMES,
        click.Option(
            ["--days"],
            type=WholeNumber(1, 3650),
            default=_DEFAULT_DAYS,
            show_default=True,
            help="How long it is valid.",
        ),
        *setting_options("ca_directory"),
    ],
)
def server_certificate(server_names: tuple[str, ...], days: int, **options: object) -> None:
    """Make or renew the certificate of the OCPP listener; it keeps its names where none is given, and its key."""
    _make_server_certificate(_directory(options), server_names, days)


def _make_server_certificate(directory: Path, names: tuple[str, ...], days: int) -> None:
    from mcpp.certificates.authority import load_authority, server_names, write_server_certificate
    from mcpp.certificates.files import SERVER_CERTIFICATE, SERVER_KEY

    end = _usable(
        lambda: write_server_certificate(
            directory, load_authority(directory), list(names), timedelta(days=days), datetime.now(UTC)
        )
    )
    named = ", ".join(server_names(directory))
    certificate, key = directory / SERVER_CERTIFICATE, directory / SERVER_KEY
    click.echo(f"{certificate}: for {named}, until {end:%Y-%m-%d}")
    click.echo(f"mcpp serve uses it with --tls-cert {certificate} --tls-key {key}")


@ca.command("list")
@click.option("--charge-point", metavar="ID", help="Only of this charge point.")
@click.option("--pending", is_flag=True, help="Only requests that wait for you.")
@api_options
def list_(charge_point: str | None, pending: bool, api: Api) -> int:
    """List signing requests and certificates, the newest first."""
    query = {"limit": "1000"} | ({"charge_point_id": charge_point} if charge_point else {})
    query |= {"status": "pending"} if pending else {}

    def show(client: httpx.Client) -> int:
        rows: list[Mapping[str, object]] = []
        cursor: object = ""
        while cursor is not None:
            answer = client.get("/api/v1/certificates", params=query | ({"cursor": str(cursor)} if cursor else {}))
            page = body_of(answer)
            items = page.get("items")
            if not answer.is_success or not isinstance(items, list):
                say_failure(answer)
                return FAILED
            rows += items
            cursor = page.get("next_cursor")
        with standard_output() as out:
            write_table(out, _COLUMNS | _TIMES, map(_row, rows))
        return 0

    return _with_server(api, show)


def _row(item: Mapping[str, object]) -> tuple[str, ...]:
    names = ("id", "charge_point_id", "status", "subject", "serial_number", "requested_at", "expires_at")
    return tuple("" if item.get(name) is None else str(item[name]) for name in names)


@ca.command()
@click.argument("ids", nargs=-1, required=True, type=WholeNumber(1), metavar="ID...")
@api_options
def approve(ids: tuple[int, ...], api: Api) -> int:
    """Sign requests that wait; their chargers get the certificates at once, or when they connect."""
    return _decide(ids, "approve", {}, api)


@ca.command()
@click.argument("ids", nargs=-1, required=True, type=WholeNumber(1), metavar="ID...")
@click.option("--reason", metavar="TEXT", help="Kept with the request.")
@api_options
def reject(ids: tuple[int, ...], reason: str | None, api: Api) -> int:
    """Refuse requests that wait."""
    return _decide(ids, "reject", {"reason": reason}, api)


@ca.command()
@click.argument("ids", nargs=-1, required=True, type=WholeNumber(1), metavar="ID...")
@click.option("--reason", metavar="TEXT", help="Kept with the certificate.")
@api_options
def revoke(ids: tuple[int, ...], reason: str | None, api: Api) -> int:
    """Let nobody in by these certificates any more; their chargers' connections end."""
    return _decide(ids, "revoke", {"reason": reason}, api)


def _decide(ids: tuple[int, ...], decision: str, body: Mapping[str, str | None], api: Api) -> int:
    def post(client: httpx.Client) -> int:
        code = 0
        for certificate_id in ids:
            answer = client.post(f"/api/v1/certificates/{certificate_id}/{decision}", json=dict(body))
            if answer.is_success:
                click.echo(_sentence(body_of(answer)))
            else:
                say_failure(answer)
                code = FAILED
        return code

    return _with_server(api, post)


def _sentence(item: Mapping[str, object]) -> str:
    who = f"{item.get('id')}: {item.get('charge_point_id')} ({item.get('subject')})"
    serial = f", serial number {item['serial_number']}" if item.get("serial_number") else ""
    return printable(f"{who} {item.get('status')}{serial}")


@ca.command()
@click.argument("minutes", type=WholeNumber(0, 24 * 60))
@api_options
def window(minutes: int, api: Api) -> int:
    """Sign the good requests of all authenticated chargers for so many minutes; 0 ends that."""

    def post(client: httpx.Client) -> int:
        answer = client.post("/api/v1/certificates/window", json={"minutes": minutes})
        if not answer.is_success:
            say_failure(answer)
            return FAILED
        until = body_of(answer).get("open_until")
        click.echo(f"requests are signed until {until}" if until else "requests wait for you")
        return 0

    return _with_server(api, post)


@ca.command("roll-out")
@click.argument("charge_point", metavar="CHARGE_POINT")
@click.option(
    "--wait",
    type=WholeNumber(0),
    default=900,
    show_default=True,
    metavar="SECONDS",
    help="How long to watch; the server goes on by itself.",
)
@api_options
def roll_out(charge_point: str, wait: int, api: Api) -> int:
    """Bring a charger to security profile 3, and show each step as it is done.

    The charger must be connected with its password. One that failed goes on from the step that failed.
    """
    path = f"/api/v1/charge-points/{segment(charge_point)}/security/roll-out"

    def follow(client: httpx.Client) -> int:
        deadline = time.monotonic() + wait
        told: dict[object, object] = {}
        answer = client.post(path)
        while answer.is_success:
            found = body_of(answer)
            _tell_steps(found, told)
            if found.get("state") != "running":
                return 0 if found.get("state") == "done" else FAILED
            if time.monotonic() > deadline:
                click.echo("not done yet; the server goes on, and the same command shows how far it is", err=True)
                return FAILED
            time.sleep(_POLL_INTERVAL)
            answer = client.get(path)
        say_failure(answer)
        return FAILED

    return _with_server(api, follow)


def _tell_steps(found: Mapping[str, object], told: dict[object, object]) -> None:
    """Each step when it has changed."""
    steps = found.get("steps")
    for step in steps if isinstance(steps, list) else []:
        state = (step["state"], step["answer"])
        if told.get(step["step"]) != state and state != ("waiting", None):
            answer = f" ({step['answer']})" if step["answer"] else ""
            click.echo(printable(f"{step['step']}: {step['state']}{answer}"))
        told[step["step"]] = state


def _with_server(api: Api, work: Callable[[httpx.Client], int]) -> int:
    try:
        with talking(api, _ANSWER_TIMEOUT) as client:
            return work(client)
    except NoAnswer:
        return FAILED


def _directory(options: Mapping[str, object]) -> Path:
    return Settings.load(given_flags(options)).ca_directory


def _usable(work: Callable[[], T]) -> T:
    """What is wrong with the files is one line."""
    from mcpp.certificates.files import AuthorityUnusable

    try:
        return work()
    except AuthorityUnusable as error:
        raise StartError(str(error)) from error
