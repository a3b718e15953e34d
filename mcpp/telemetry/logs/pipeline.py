"""One pipeline for every log line: our own loggers' (structlog) and those of the libraries (standard library)."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context
from functools import partial
from typing import Any, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from mcpp.ocppj.flow import active_trace_context, current_flow
from mcpp.telemetry.logs.console import console_renderer
from mcpp.telemetry.logs.lines import LineWriter, LogFormat, LogLevel, render_json, timestamp
from mcpp.telemetry.logs.redaction import bounded
from mcpp.telemetry.logs.sink import LogSink

_FIELD_ORDER = (
    "timestamp",
    "level",
    "event",
    "category",
    "correlation_id",
    "trace_id",
    "span_id",
    "session_correlation_id",
    "charge_point_id",
    "connector_id",
    "evse_id",
    "transaction_id",
    "action",
    "message_id",
    "direction",
)

_CATEGORIES = ("system", "ocpp", "transaction", "error")

_GRAVEST_FIRST = (LogLevel.ERROR, LogLevel.WARNING, LogLevel.INFO)

_LEVELS = {"critical": "error"}

_LIBRARIES_LEVEL = logging.INFO
"""At debug, websockets and asyncio describe every frame, passwords in the clear; no log level asks for that."""


def get_logger() -> FilteringBoundLogger:
    """A logger: `log.info("snake_case_event", category="transaction", connector_id=1)`."""
    return cast("FilteringBoundLogger", structlog.get_logger())


@contextmanager
def logging_to(
    sink: LogSink,
    *,
    level: LogLevel,
    log_format: LogFormat,
    log_payloads: bool = False,
    colors: bool = False,
    file: LogSink | None = None,
) -> Iterator[LineWriter]:
    """Send every logger's lines to the sink, and in JSON to `file`, until the block ends and both are flushed.

    Yields the writer for those who build their lines themselves; its level holds for all. `colors` belongs to the
    console format.
    """
    render = render_json if log_format is LogFormat.JSON else console_renderer(colors=colors)
    writer = LineWriter(sink, render, level, log_payloads=log_payloads, file=file)
    structlog.configure(
        # The writer's level may change after a logger was bound, so it's the processors that ask for it.
        processors=[partial(_drop_unwanted, writer), *_PROCESSORS],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=lambda *_: _Output(writer),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    previous_level, previous_handlers = root.level, root.handlers[:]
    root.setLevel(_LIBRARIES_LEVEL)
    root.handlers[:] = [_LibraryHandler(writer)]
    logging.captureWarnings(capture=True)
    previous_hooks = threading.excepthook, sys.unraisablehook
    threading.excepthook, sys.unraisablehook = _thread_failed, _unraisable
    try:
        yield writer
    finally:
        threading.excepthook, sys.unraisablehook = previous_hooks
        logging.captureWarnings(capture=False)
        root.handlers[:] = previous_handlers
        root.setLevel(previous_level)
        structlog.reset_defaults()
        sink.close()
        if file is not None:
            file.close()


def report_loop_errors(loop: asyncio.AbstractEventLoop) -> None:
    """Have the errors of callbacks and tasks that nobody awaits logged with the correlation id that they belong to."""
    loop.set_exception_handler(_loop_error)


def wants_colors(fd: int) -> bool:
    """Whether a person reads the descriptor on a terminal and hasn't asked for plain text (no-color.org)."""
    return os.isatty(fd) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def error_text(error: BaseException) -> str:
    """An exception as the field `error` shows it."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def stack_text(error: BaseException) -> str:
    """An exception's traceback as the field `stack` shows it."""
    return "".join(traceback.format_exception(error)).rstrip()


def _loop_error(_: asyncio.AbstractEventLoop, about: dict[str, Any]) -> None:
    """Logged where it's noticed, which may be amid another charge point's message: it has its own context."""
    origin = about.get("task") or about.get("future") or about.get("handle")
    get_context = getattr(origin, "get_context", None)  # of tasks, from Python 3.12 on
    context: Context = get_context().copy() if get_context else Context()
    fields = {"message": about.get("message", ""), "exc_info": about.get("exception")}
    if isinstance(origin, asyncio.Task):
        fields["task"] = origin.get_name()
    context.run(get_logger().error, "loop_error", category="error", **fields)


def _thread_failed(about: threading.ExceptHookArgs) -> None:
    if not isinstance(about.exc_value, SystemExit):
        name = about.thread.name if about.thread else ""
        get_logger().error("thread_failed", category="error", thread=name, exc_info=about.exc_value)


def _unraisable(about: sys.UnraisableHookArgs) -> None:
    """An error in a destructor, which nobody can catch."""
    message = f"{about.err_msg or 'Exception ignored in'}: {about.object!r}"
    get_logger().error("unraisable_error", category="error", message=message, exc_info=about.exc_value)


def _drop_unwanted(writer: LineWriter, _: WrappedLogger, method: str, fields: EventDict) -> EventDict:
    if not writer.writes(LogLevel(_LEVELS.get(method, method))):
        raise structlog.DropEvent
    return fields


def _add_level(_: WrappedLogger, method: str, fields: EventDict) -> EventDict:
    fields["level"] = _LEVELS.get(method, method)
    return fields


def _merge_flow(_: WrappedLogger, __: str, fields: EventDict) -> EventDict:
    flow = current_flow.get()
    if flow is not None:
        facts = {
            "charge_point_id": flow.peer.identity,
            "connector_id": flow.connector_id,
            "evse_id": flow.evse_id or None,
            "transaction_id": flow.transaction_id,
            "action": flow.action,
            "message_id": flow.message_id,
            "direction": flow.direction.value,
        }
        for name, fact in facts.items():
            if fact is not None:
                fields.setdefault(name, fact)
    cause = active_trace_context()
    # A line that was given the correlation id of something else belongs to that.
    if cause is not None and fields.setdefault("correlation_id", cause.correlation_id) == cause.correlation_id:
        if cause.span_id:
            fields["trace_id"], fields["span_id"] = cause.correlation_id, f"{cause.span_id:016x}"
        if cause.session_correlation_id is not None:
            fields.setdefault("session_correlation_id", cause.session_correlation_id)
    return fields


def _explain_error(_: WrappedLogger, __: str, fields: EventDict) -> EventDict:
    error = _exception(fields.pop("exc_info", None))
    if error is not None:
        fields["error"] = error_text(error)
        fields["stack"] = stack_text(error)
    elif isinstance(fields.get("error"), BaseException):
        fields["error"] = error_text(fields["error"])
    return fields


def _exception(exc_info: object) -> BaseException | None:
    """The exception that `exc_info` means: itself, in a tuple of three, or the one being handled."""
    if exc_info is True:
        return sys.exception()
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    return exc_info if isinstance(exc_info, BaseException) else None


def _mask_secrets(_: WrappedLogger, __: str, fields: EventDict) -> EventDict:
    return bounded(fields)


def _order_fields(_: WrappedLogger, __: str, fields: EventDict) -> EventDict:
    fields["timestamp"] = timestamp()
    if fields.get("category") not in _CATEGORIES:
        fields["category"] = "error" if fields["level"] == "error" else "system"
    ordered: EventDict = {name: fields.pop(name) for name in _FIELD_ORDER if name in fields}
    ordered.update(fields)
    return ordered


_PROCESSORS: Sequence[Processor] = (
    _add_level,
    structlog.contextvars.merge_contextvars,
    _merge_flow,
    _explain_error,
    _mask_secrets,
    _order_fields,
)


class _Output:
    """What structlog calls with the fields of a line that has passed the processors."""

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer

    def debug(self, /, **line: object) -> None:
        self._writer.write(line)

    info = warning = error = critical = debug


class _LibraryHandler(logging.Handler):
    """Sends the standard library's records through the same processors."""

    def __init__(self, writer: LineWriter) -> None:
        # A library that sets its own logger's level, as uvicorn does, must not get past the libraries' one.
        super().__init__(_LIBRARIES_LEVEL)
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            # A library may have levels of its own between ours.
            level = next(level for level in _GRAVEST_FIRST if record.levelno >= level.number)
            if not self._writer.writes(level):
                return
            fields: EventDict = {
                "event": "library_message",
                "logger": record.name,
                "message": record.getMessage().strip(),
            }
            fields["exc_info"] = record.exc_info
            for process in _PROCESSORS:
                fields = cast("EventDict", process(None, level, fields))
            self._writer.write(dict(fields))
        except Exception:  # noqa: BLE001 - a broken record must not break who wrote it; handleError reports it
            self.handleError(record)
