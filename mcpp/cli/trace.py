"""`mcpp trace`: the story of a charging session, or of a charge point, from the database and the log."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import tzinfo
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, Final, TextIO, cast

import click
import orjson

from mcpp.cli.database import open_database
from mcpp.cli.options import WholeNumber, given_flags, setting_options
from mcpp.cli.output import standard_output
from mcpp.cli.zones import complete_zone, option_time, read_zone
from mcpp.server.versions import VOCABULARY
from mcpp.settings import Settings
from mcpp.story.json_entries import entry_json, subject_json
from mcpp.story.log_files import LogFile, NotJsonLines
from mcpp.story.log_selection import LINES_LIMIT, TooManyLines
from mcpp.story.model import EVER, ChargePointSubject, Span, Story
from mcpp.story.records import read_transaction
from mcpp.story.text import Style, notes, text_lines
from mcpp.story.timeline import charge_point_story, transaction_story
from mcpp.telemetry.logs.pipeline import wants_colors
from mcpp.telemetry.logs.rotated_file import rotated_files
from mcpp_generated.db.queries import Queries

_STANDARD_INPUT: Final = "-"


@click.command(
    params=[
        click.Argument(["transaction_id"], required=False, type=WholeNumber(1, 2**63 - 1)),
        click.Option(
            ["--log", "logs"],
            multiple=True,
            metavar="FILE",
            type=click.Path(exists=True, dir_okay=False, allow_dash=True),
            help="The server's log in JSON, also as .gz; - is standard input. With FILE come the older ones beside it: "
            "FILE.1, FILE.2.gz and so on. Give it again for others. [default: the log-file of the server's settings]",
        ),
        click.Option(["--charge-point", "charge_point_id"], metavar="ID", help="Show a charge point's story instead."),
        click.Option(
            ["--connector", "connector_id"],
            type=WholeNumber(0, 2**31 - 1),
            help="Of that charge point, without what is its other connectors'.",
        ),
        click.Option(
            ["--evse", "evse_id"],
            type=WholeNumber(1, 2**31 - 1),
            help="Of that charge point, without what is its other EVSEs' (since OCPP 2.0).",
        ),
        click.Option(["--since"], metavar="TIME", help="Of that charge point, from then on."),
        click.Option(["--until"], metavar="TIME", help="Of that charge point, up to then."),
        click.Option(
            ["--timezone"],
            metavar="NAME",
            shell_complete=complete_zone,
            help="Time zone of the times shown, such as Europe/Berlin or UTC. [default: the machine's]",
        ),
        click.Option(["--payloads"], is_flag=True, help="With OCPP's payloads, where the log has them."),
        click.Option(["--json", "as_json"], is_flag=True, help="A JSON object for each entry, times in UTC."),
        *setting_options("database", "log_file"),
    ]
)
def trace(
    transaction_id: int | None,
    logs: Sequence[str],
    charge_point_id: str | None,
    connector_id: int | None,
    evse_id: int | None,
    since: str | None,
    until: str | None,
    timezone: str | None,
    payloads: bool,
    as_json: bool,
    **options: object,
) -> None:
    """Show the story of a charging session.

    What the charger said, what server, plugins and operators did, how the meter rose, and where something was missing:
    put together from the database and the server's log, a line each, with the correlation id to find it in the log by.
    Without a log only what is in the database is shown.

    mcpp trace --charge-point ID --log FILE shows a charge point's story instead, whether it charged or not.

    A server may be running meanwhile. A TIME is a date or 2026-03-29T12:00:00; without an offset it is meant in the
    time zone.
    """
    settings = Settings.load(given_flags(options))
    if not logs and settings.log_file is not None and settings.log_file.exists():
        logs = [str(settings.log_file)]
    zone = None if timezone is None else read_zone(timezone)
    span = Span(
        EVER.begin if since is None else option_time("--since", since, zone),
        EVER.end if until is None else option_time("--until", until, zone),
    )
    if transaction_id is not None:
        given = (charge_point_id, connector_id, evse_id)
        if any(option is not None for option in given) or span != EVER:
            text = "--charge-point, --connector, --evse, --since and --until don't go with a transaction's id"
            raise click.UsageError(text)
        story = _story_of_transaction(settings.database, logs, transaction_id, payloads=payloads)
    elif charge_point_id is None:
        raise click.UsageError("say what to trace: a transaction's id, or --charge-point")
    elif not logs:
        raise click.UsageError("--charge-point needs the server's log: give it with --log")
    else:
        subject = ChargePointSubject(charge_point_id, connector_id, span, evse_id)
        story = _story_of_charge_point(settings.database, logs, subject, payloads=payloads)
    with standard_output() as out:
        if as_json:
            for item in (
                subject_json(story.subject),
                *(entry_json(entry, payloads=payloads) for entry in story.entries),
            ):
                out.write(orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE).decode())
        else:
            out.writelines(f"{line}\n" for line in text_lines(story, _style(out, zone, payloads=payloads)))
    if as_json:
        for note in notes(story, zone):
            click.echo(note, err=True)


def _story_of_transaction(database: Path, logs: Sequence[str], transaction_id: int, *, payloads: bool) -> Story:
    with _snapshot(database) as q:
        records = read_transaction(q, transaction_id, VOCABULARY)
    if records is None:
        raise click.ClickException(f"there is no transaction {transaction_id} in {database}")
    with _open_logs(logs) as files:
        return transaction_story(records, files, VOCABULARY, payloads=payloads)


def _story_of_charge_point(
    database: Path, logs: Sequence[str], subject: ChargePointSubject, *, payloads: bool
) -> Story:
    with _open_logs(logs) as files:
        story = charge_point_story(partial(_snapshot, database), files, subject, VOCABULARY, payloads=payloads)
    if story is None:
        raise click.ClickException(
            f"there is no charge point {subject.charge_point_id!r} in {database}, nor in the log"
        )
    return story


@contextmanager
def _snapshot(database: Path) -> Iterator[Queries]:
    """One state of the database, whatever is written meanwhile. Raises StartError."""
    with open_database(database) as guest, guest.snapshot() as queries:
        yield queries


@contextmanager
def _open_logs(names: Sequence[str]) -> Iterator[list[LogFile]]:
    """The files of a log, `-` for standard input; what can be read only once is copied to a temporary file first.

    Raises click.ClickException, also for what the story finds wrong with them.
    """
    with ExitStack() as stack:
        try:
            # The newest first: one that is rotated meanwhile is found again, by another name.
            files = {
                _identity(file): LogFile(_shown(name), file)
                for given in dict.fromkeys(names)
                for name in _with_older(given)
                if (file := _open_if_there(name, given, stack)) is not None
            }
            yield list(reversed(files.values()))
        except NotJsonLines as error:
            raise click.UsageError(
                f"--log: {error} holds no JSON lines; "
                "only a log in JSON can be traced, so run the server with --log-file, or with --log-format json"
            ) from error
        except TooManyLines as error:
            raise click.ClickException(
                f"over {LINES_LIMIT} lines of the log belong here; ask for a part with --charge-point and --since"
            ) from error


def _with_older(name: str) -> list[str]:
    return [name] if name == _STANDARD_INPUT else [str(path) for path in rotated_files(Path(name))]


def _open_if_there(name: str, given: str, stack: ExitStack) -> BinaryIO | None:
    """The file; None for an older one that has gone meanwhile."""
    if name != given and not Path(name).is_file():
        return None
    return stack.enter_context(_open(name))


def _identity(file: BinaryIO) -> tuple[int, int]:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino


def _shown(name: str) -> str:
    return "standard input" if name == _STANDARD_INPUT else name


def _open(name: str) -> BinaryIO:
    if name == _STANDARD_INPUT:
        return _copy(sys.stdin.buffer)
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - closed by who opens the logs
        if Path(name).is_file():
            return file
        with file:
            return _copy(file)
    except OSError as error:
        raise click.UsageError(f"--log: {name} can't be read ({error.strerror or error})") from error


def _copy(source: BinaryIO) -> BinaryIO:
    copy = cast("BinaryIO", TemporaryFile())  # noqa: SIM115 - as above
    shutil.copyfileobj(source, copy)
    return copy


def _style(out: TextIO, zone: tzinfo | None, *, payloads: bool) -> Style:
    """For a terminal in its width and colours; elsewhere an entry is one line, so that grep finds it whole."""
    if not out.isatty():
        return Style(zone, payloads=payloads)
    painter = _paint if wants_colors(out.fileno()) else None
    return Style(zone, shutil.get_terminal_size().columns, painter, payloads)


def _paint(text: str, *, color: str | None = None, dim: bool = False, bold: bool = False) -> str:
    return click.style(text, fg=color, dim=dim or None, bold=bold or None)
