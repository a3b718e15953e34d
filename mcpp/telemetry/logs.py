"""One pipeline for every log line: our own loggers' (structlog) and those of the libraries (standard library)."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from mcpp.ocppj.flow import current_flow
from mcpp.telemetry.lines import LineWriter, LogFormat, LogLevel, console_renderer, render_json, timestamp
from mcpp.telemetry.log_sink import LogSink
from mcpp.telemetry.redaction import redact

_FIELD_ORDER = (
    "timestamp",
    "level",
    "event",
    "category",
    "correlation_id",
    "charge_point_id",
    "connector_id",
    "transaction_id",
    "action",
    "message_id",
    "direction",
)

_GRAVEST_FIRST = (LogLevel.ERROR, LogLevel.WARNING, LogLevel.INFO)

_LEVELS = {"critical": "error"}


def get_logger() -> FilteringBoundLogger:
    """A logger: `log.info("snake_case_event", category="transaction", connector_id=1)`."""
    return cast("FilteringBoundLogger", structlog.get_logger())


@contextmanager
def logging_to(sink: LogSink, *, level: LogLevel, log_format: LogFormat, colors: bool = False) -> Iterator[LineWriter]:
    """Send every logger's lines to the sink, until the block ends and the sink is flushed.

    Gives the writer for those who build their lines themselves. `colors` belongs to the console format.
    """
    writer = LineWriter(sink, render_json if log_format is LogFormat.JSON else console_renderer(colors=colors), level)
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(level.number),
        logger_factory=lambda *_: _Output(writer),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    handler = _LibraryHandler(writer)
    # A library that sets its own logger's level, as uvicorn does, must not get past the server's.
    handler.setLevel(level.number)
    # Libraries speak from info up: at debug, websockets and asyncio describe every frame, in the clear.
    previous_level, previous_handlers = root.level, root.handlers[:]
    root.setLevel(max(level.number, logging.INFO))
    root.handlers[:] = [handler]
    logging.captureWarnings(capture=True)
    try:
        yield writer
    finally:
        logging.captureWarnings(capture=False)
        root.handlers[:] = previous_handlers
        root.setLevel(previous_level)
        structlog.reset_defaults()
        sink.close()


def wants_colors(fd: int) -> bool:
    """Whether a person reads the descriptor on a terminal and hasn't asked for plain text (no-color.org)."""
    return os.isatty(fd) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def error_text(error: BaseException) -> str:
    """An exception as the field `error` tells it."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def stack_text(error: BaseException) -> str:
    """An exception's traceback as the field `stack` tells it."""
    return "".join(traceback.format_exception(error)).rstrip()


def _add_level(_: WrappedLogger, method: str, fields: EventDict) -> EventDict:
    fields["level"] = _LEVELS.get(method, method)
    return fields


def _merge_flow(_: WrappedLogger, __: str, fields: EventDict) -> EventDict:
    flow = current_flow.get()
    if flow is not None:
        fields.setdefault("correlation_id", flow.correlation_id)
        fields.setdefault("charge_point_id", flow.peer.identity)
        fields.setdefault("action", flow.action)
        fields.setdefault("message_id", flow.message_id)
        fields.setdefault("direction", flow.direction.value)
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
    return cast("EventDict", redact(fields))


def _order_fields(_: WrappedLogger, __: str, fields: EventDict) -> EventDict:
    fields["timestamp"] = timestamp()
    fields.setdefault("category", "error" if fields["level"] == "error" else "system")
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
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            fields: EventDict = {"event": "library_message", "logger": record.name, "message": record.getMessage()}
            fields["exc_info"] = record.exc_info
            # A library may have levels of its own between ours.
            level = next((level for level in _GRAVEST_FIRST if record.levelno >= level.number), LogLevel.DEBUG)
            for process in _PROCESSORS:
                fields = cast("EventDict", process(None, level, fields))
            self._writer.write(dict(fields))
        except Exception:  # noqa: BLE001 - a broken record must not break who wrote it; handleError tells of it
            self.handleError(record)
