"""Libraries that repeat themselves: a message for each failed try is none for a log that people read."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from time import monotonic

from mcpp.redaction import MASK


@contextmanager
def rarely_heard(library: str, *, secrets: Sequence[str] = (), every: float = 60.0) -> Iterator[None]:
    """Pass each of a library's messages on at most once in `every` seconds, without the secrets that it knows.

    `library` is the name of its logger; the loggers below it are meant as well.
    """
    logger = logging.getLogger(library)
    handler, propagate = _Doorkeeper(secrets, every), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.propagate = propagate
        logger.removeHandler(handler)


class _Doorkeeper(logging.Handler):
    """Stands between a library's logger and the root logger's handlers, which write the lines."""

    def __init__(self, secrets: Sequence[str], every: float) -> None:
        super().__init__()
        # The longest first, since one may hold another; one of a letter or two would mask the text around it.
        self._secrets = sorted((secret for secret in secrets if len(secret) > 2), key=len, reverse=True)
        self._every = every
        self._places: dict[tuple[str, int], _Place] = {}
        self._places_lock = Lock()

    def emit(self, record: logging.LogRecord) -> None:
        # By place in the code: the text differs from try to try, by a time or a name.
        with self._places_lock:
            held = self._places.setdefault((record.pathname, record.lineno), _Place()).held(self._every)
        if held is not None:
            logging.getLogger().handle(self._spoken(record, held))

    def _spoken(self, record: logging.LogRecord, held: int) -> logging.LogRecord:
        """The record in one line of plain text, its exception's traceback left out."""
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text += f" ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
        if held:
            text += f" ({held} more since the last line)"
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return logging.makeLogRecord(record.__dict__ | {"msg": text, "args": None, "exc_info": None})


class _Place:
    """One line of a library's code that writes messages."""

    __slots__ = ("_held", "_next")

    def __init__(self) -> None:
        self._next = 0.0
        self._held = 0

    def held(self, every: float) -> int | None:
        """How many messages were held back since the last; None where this one is held back too."""
        now = monotonic()
        if now < self._next:
            self._held += 1
            return None
        held, self._held, self._next = self._held, 0, now + every
        return held
