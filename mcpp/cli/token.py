"""`mcpp token`: named tokens of the HTTP API, on the database file itself, so that nobody is ever locked out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import click

from mcpp.cli.database import database_of, open_database
from mcpp.cli.options import setting_options
from mcpp.cli.output import standard_output, write_table
from mcpp.domain.errors import DomainError
from mcpp.domain.tokens import add_token, hash_of, mistake_in_name, new_token, revoke_token
from mcpp.errors import StartError
from mcpp_generated.db.enums import Role

_COLUMNS: Final = {"name": False, "role": False, "made": False, "last used": False}

_NAME: Final = click.Argument(["name"])


@click.group()
def token() -> None:
    """Named tokens of the API and the pages.

    An operator may do everything; a viewer may look at what holds no secrets, and change nothing. From the first token
    on, every request needs one. The commands work on the database file, also beside a running server, which notices
    within seconds. The setting api-token isn't one of these.
    """


@token.command(
    "add",
    params=[
        _NAME,
        click.Option(
            ["--role"], type=click.Choice([str(role) for role in Role]), required=True, help="What it lets one do."
        ),
        *setting_options("database"),
    ],
)
def add(name: str, role: str, **options: object) -> None:
    """Make a token and print it. It is shown this once: only its hash is stored."""
    mistake = mistake_in_name(name)
    if mistake is not None:
        raise click.UsageError(f"NAME: {mistake}")
    text = new_token()
    with open_database(database_of(options), may_write=True) as guest:
        try:
            with guest.transaction() as q:
                known = q.list_tokens()
                add_token(q, name, Role(role), hash_of(text), datetime.now(UTC))
        except DomainError as error:
            raise StartError(str(error)) from error
    with standard_output() as out:
        out.write(f"{text}\n")
    if role == Role.VIEWER and all(each.role is Role.VIEWER for each in known):
        click.echo(
            "there is no operator token yet: unless the server has an api-token, nobody can change anything until "
            "mcpp token add NAME --role operator",
            err=True,
        )


@token.command("list", params=setting_options("database"))
def list_(**options: object) -> None:
    """Print the tokens' names, roles and last uses (UTC; within a minute or so)."""
    with open_database(database_of(options)) as guest, guest.snapshot() as q:
        known = q.list_tokens()
    with standard_output() as out:
        write_table(
            out,
            _COLUMNS,
            [(each.name, str(each.role), _minute(each.created_at), _minute(each.last_used_at)) for each in known],
        )


@token.command("revoke", params=[_NAME, *setting_options("database")])
def revoke(name: str, **options: object) -> None:
    """End a token, with the event streams that it has open and the browsers that it logged in."""
    with open_database(database_of(options), may_write=True) as guest:
        try:
            with guest.transaction() as q:
                revoked = revoke_token(q, name)
                left = q.list_tokens()
        except DomainError as error:
            raise StartError(str(error)) from error
    click.echo(f"{revoked.name} is revoked")
    if not left:
        click.echo("no token is left: a server without an api-token needs none from now on", err=True)
    elif all(each.role is Role.VIEWER for each in left):
        click.echo(
            "no operator token is left: unless the server has an api-token, nobody can change anything until "
            "mcpp token add NAME --role operator",
            err=True,
        )


def _minute(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
