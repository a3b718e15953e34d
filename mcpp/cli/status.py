"""`mcpp status`: the fleet in a table, once or live, through the API of a running server."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Final, TextIO

import click
from pydantic import BaseModel, ValidationError

from mcpp.cli.api_client import (
    FAILED,
    Api,
    NoAnswer,
    api_options,
    body_of,
    client_of,
    say_failure,
    talking,
)
from mcpp.cli.output import standard_output
from mcpp.cli.status_data import ChargePoint, Fleet, Session, Summary
from mcpp.cli.status_screen import Paint, plain, screen
from mcpp.cli.zones import complete_zone, read_zone
from mcpp.domain.events import (
    ChargePointBooted,
    ChargePointConnected,
    ChargePointDisconnected,
    ChargePointForgotten,
    ConnectorStatusChanged,
    MeterValuesReceived,
    RecordUnmatched,
    ReservationChanged,
    TransactionCorrected,
    TransactionRecovered,
    TransactionStarted,
    TransactionStopped,
)
from mcpp.reads.event_json import event_name
from mcpp.reads.terminal_text import printable
from mcpp.telemetry.logs.pipeline import wants_colors

if TYPE_CHECKING:
    import httpx  # 0.1 s, so imported where it's used

_ANSWER_TIMEOUT: Final = 30.0
"""Seconds."""

_REDRAWN_EVERY: Final = 1.0
_ASKED_AT_MOST_EVERY: Final = 0.5
_ASKED_AT_LEAST_EVERY: Final = 10.0
"""Seconds: what no event tells of, such as a disk that fills, is that late at most."""

_SHARE: Final = 10
"""A server that takes long to answer is asked so many times less often than it could."""

_EVENTS_TIMEOUT: Final = 40.0
"""Seconds without a heartbeat of the stream, of which there are two in that time."""

_PAGE: Final = 1_000

_ENTER: Final = "\x1b[?1049h\x1b[?25l\x1b[?7l"
"""The terminal's other screen, without cursor, cutting lines that are too long."""
_LEAVE: Final = "\x1b[?7h\x1b[?25h\x1b[?1049l"
_HOME, _END_OF_LINE, _END_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


_TELLING: Final = (
    ChargePointConnected,
    ChargePointDisconnected,
    ChargePointBooted,
    ChargePointForgotten,
    ConnectorStatusChanged,
    TransactionStarted,
    MeterValuesReceived,
    TransactionStopped,
    TransactionRecovered,
    TransactionCorrected,
    ReservationChanged,
    RecordUnmatched,
)
"""Events that change what is shown."""


class _ItemsOfPage(BaseModel):
    items: list[object]
    next_cursor: str | None


class _Refused(Exception):
    """The server answered, but not with what was asked for."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"HTTP {answer.status_code} from {answer.url.path}")
        self.answer = answer


@click.command()
@click.option("--watch", is_flag=True, help="Go on showing it as it changes, until Ctrl-C.")
@click.option(
    "--json", "as_json", is_flag=True, help="As one JSON object; with --watch, one in a line for each change."
)
@click.option(
    "--timezone",
    metavar="NAME",
    shell_complete=complete_zone,
    help="Whose day and month these are, such as Europe/Berlin. [default: the server's]",
)
@api_options
def status(*, watch: bool, as_json: bool, timezone: str | None, api: Api) -> int:
    """Show the fleet: what needs somebody, and each charger's state.

    It comes from the running server. docs/attention.md says what each line on top means and what to do.

    Exit code 0: the server answered, whatever it said. 1: it didn't; standard error says why. 2: wrong use.
    """
    if timezone is not None:
        read_zone(timezone)
    try:
        with talking(api, _ANSWER_TIMEOUT) as client:
            fleet = _ask(client, timezone)
    except NoAnswer:
        return FAILED
    except _Refused as refused:
        say_failure(refused.answer)
        return FAILED
    except ValidationError as error:
        click.echo(f"{api.url} answers what this version of mcpp doesn't understand: {_mistake(error)}", err=True)
        return FAILED
    with standard_output() as out:
        if not watch:
            _write(out, fleet, as_json=as_json)
        elif out.isatty() and not as_json:
            with _own_screen(out), suppress(KeyboardInterrupt):
                _watch(_OnScreen(out), api, timezone, fleet)
        else:
            with suppress(KeyboardInterrupt):
                _watch(_InLines(out, as_json=as_json), api, timezone, fleet)
    return 0


def _ask(client: httpx.Client, timezone: str | None) -> Fleet:
    """All that is shown. Raises _Refused, and what httpx raises."""
    answer = _get(client, "/api/v1/summary", {} if timezone is None else {"timezone": timezone})
    sessions = [Session.model_validate(it) for it in _every(client, "/api/v1/transactions", {"open": "true"})]
    points = list(_every(client, "/api/v1/charge-points", {}))
    return Fleet(
        summary=Summary.model_validate(answer),
        charge_points=[ChargePoint.model_validate(point) for point in points],
        sessions={session.transaction_id: session for session in sessions},
        raw={"summary": answer, "charge_points": points},
    )


def _every(client: httpx.Client, path: str, parameters: dict[str, str]) -> Iterator[object]:
    """The items of all pages."""
    cursor: str | None = None
    while True:
        given = parameters | {"limit": str(_PAGE)} | ({} if cursor is None else {"cursor": cursor})
        page = _ItemsOfPage.model_validate(_get(client, path, given))
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def _get(client: httpx.Client, path: str, parameters: dict[str, str]) -> dict[str, object]:
    answer = client.get(path, params=parameters)
    body = body_of(answer)
    if not answer.is_success or not body:
        raise _Refused(answer)
    return body


def _mistake(error: ValidationError) -> str:
    first = error.errors()[0]
    return printable(f"{'.'.join(map(str, first['loc']))}: {first['msg']}")


def _write(out: TextIO, fleet: Fleet, *, as_json: bool) -> None:
    if as_json:
        # Escapes for all but ASCII: a charge point can send neither control characters nor lone surrogates to anybody.
        out.write(json.dumps(fleet.raw, separators=(",", ":")) + "\n")
        return
    width = shutil.get_terminal_size().columns if out.isatty() else None
    out.writelines(f"{line}\n" for line in screen(fleet, width=width, height=None, paint=_paint_for(out)))


def _paint_for(out: TextIO) -> Paint:
    return _paint if out.isatty() and wants_colors(out.fileno()) else plain


def _paint(text: str, color: str | None, bold: bool, dim: bool) -> str:
    return click.style(text, fg=color, bold=bold or None, dim=dim or None) if text.strip() else text


class _OnScreen:
    """Draws over what it drew before."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._paint = _paint_for(out)

    def show(self, fleet: Fleet, note: str | None) -> None:
        size = shutil.get_terminal_size()
        lines = list(screen(fleet, width=size.columns, height=size.lines, paint=self._paint, note=note))[: size.lines]
        # Erased first: behind a line as wide as the screen the cursor stands on its last character.
        self._out.write(_HOME + "\r\n".join(_END_OF_LINE + line for line in lines))
        if len(lines) < size.lines:
            self._out.write("\r\n" + _END_OF_SCREEN)
        self._out.flush()


@contextmanager
def _own_screen(out: TextIO) -> Iterator[None]:
    """The terminal is as it was afterwards, also where somebody ends the process."""

    def end(number: int, _: object) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)
    out.write(_ENTER)
    try:
        yield
    finally:
        out.write(_LEAVE)
        out.flush()


class _InLines:
    """Writes it again where it has changed: for a pipe or a file."""

    def __init__(self, out: TextIO, *, as_json: bool) -> None:
        self._out = out
        self._as_json = as_json
        self._last: object = None

    def show(self, fleet: Fleet, note: str | None) -> None:
        if note is not None:
            click.echo(note, err=True)
            return
        facts = (
            fleet.summary.model_copy(update={"at": None}),
            fleet.charge_points,
            {number: it.energy_wh for number, it in fleet.sessions.items()},
        )
        if facts == self._last:
            return
        if self._last is not None and not self._as_json:
            self._out.write("\n")
        self._last = facts
        _write(self._out, fleet, as_json=self._as_json)
        self._out.flush()


def _watch(view: _OnScreen | _InLines, api: Api, timezone: str | None, fleet: Fleet) -> None:
    """Show it until somebody interrupts, also while the server is away."""
    import httpx

    changed = Event()
    Thread(target=_follow, args=(api, changed), name="events", daemon=True).start()
    note: str | None = None
    with client_of(api, httpx.Timeout(_ANSWER_TIMEOUT, connect=_REDRAWN_EVERY)) as client:
        asked_at, took = time.monotonic(), 0.0
        known_at = asked_at
        while True:
            age = timedelta(seconds=time.monotonic() - known_at)
            view.show(replace(fleet, age=age), note)
            pause = max(_ASKED_AT_MOST_EVERY, took * _SHARE)
            has_changed = changed.wait(_REDRAWN_EVERY)
            waited = time.monotonic() - asked_at
            if has_changed and waited < pause:
                time.sleep(min(pause - waited, _REDRAWN_EVERY))
                waited = time.monotonic() - asked_at
            is_due = waited >= _ASKED_AT_LEAST_EVERY or note is not None or (has_changed and waited >= pause)
            if not is_due:
                continue
            changed.clear()
            asked_at = time.monotonic()
            try:
                fleet, note = _ask(client, timezone), None
                known_at = time.monotonic()
            except httpx.TransportError as error:
                why = printable(str(error) or type(error).__name__)
                note = f"no answer from {api.url}, trying again: {why}"
            except (_Refused, ValidationError) as error:
                why = _mistake(error) if isinstance(error, ValidationError) else str(error)
                note = f"trying again: {printable(why)}"
            took = time.monotonic() - asked_at


def _follow(api: Api, changed: Event) -> None:
    """Set `changed` at each event that changes what is shown, and when the stream begins anew; never returns."""
    import httpx

    parameters = {"events": ",".join(map(event_name, _TELLING))}
    while True:
        with suppress(httpx.HTTPError, httpx.StreamError):
            timeout = httpx.Timeout(_EVENTS_TIMEOUT)
            with client_of(api, timeout) as client, client.stream("GET", "/api/v1/events", params=parameters) as answer:
                if answer.is_success:
                    changed.set()
                    try:
                        for line in answer.iter_lines():
                            if line.startswith("data:"):
                                changed.set()
                    finally:
                        changed.set()  # the server may be gone, which is to be said at once
        time.sleep(_REDRAWN_EVERY)
