"""Which problem each of the house's own errors is, so that an endpoint just lets them pass."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import Response

from mcpp.api.problems import ApiError, Mistake, answer_with, conflict, invalid_parameter, invalid_payload, not_found
from mcpp.domain.errors import Conflict, Unknown
from mcpp.files.directory import EmptyFile, FileTooLarge, StorageFailed
from mcpp.files.names import BadName
from mcpp.ocppj.errors import (
    CallRefused,
    CallTimeout,
    CommandError,
    ConnectionLost,
    InvalidAnswer,
    InvalidPayload,
    KeyChangesOpen,
    NotConnected,
    NotStored,
    QueueFull,
    UnknownAction,
)
from mcpp.phrases import Phrase, phrase_of
from mcpp.reads.paging import BadCursor
from mcpp.storage.pending import WriteFailed

_log: Final = logging.getLogger(__name__)

_COMMAND_PROBLEMS: Final[dict[type[CommandError], tuple[HTTPStatus, str]]] = {
    UnknownAction: (HTTPStatus.NOT_FOUND, "not_found"),
    NotConnected: (HTTPStatus.CONFLICT, "not_connected"),
    QueueFull: (HTTPStatus.TOO_MANY_REQUESTS, "queue_full"),
    CallRefused: (HTTPStatus.BAD_GATEWAY, "call_error"),
    InvalidAnswer: (HTTPStatus.BAD_GATEWAY, "invalid_answer"),
    ConnectionLost: (HTTPStatus.SERVICE_UNAVAILABLE, "connection_lost"),
    NotStored: (HTTPStatus.SERVICE_UNAVAILABLE, "not_stored"),
    KeyChangesOpen: (HTTPStatus.CONFLICT, "conflict"),
    CallTimeout: (HTTPStatus.GATEWAY_TIMEOUT, "timeout"),
}

COMMAND_STATUSES: Final = (
    *(status for status, _ in _COMMAND_PROBLEMS.values() if status is not HTTPStatus.BAD_GATEWAY),
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
)
"""With which problems a command may be answered."""


_KINDS: Final = (
    CommandError,
    Unknown,
    Conflict,
    BadCursor,
    WriteFailed,
    BadName,
    EmptyFile,
    FileTooLarge,
    StorageFailed,
)


def answer_failures(app: FastAPI) -> None:
    """Make the errors of commands, lists, domain and storage problems."""
    for kind in _KINDS:
        app.add_exception_handler(kind, _failure)


async def _failure(request: Request, error: Exception) -> Response:
    if isinstance(error, WriteFailed | StorageFailed):
        _log.error("a request could not be stored: %s", error)
    return answer_with(request, _problem_of(error))


def _problem_of(error: Exception) -> ApiError:
    detail = phrase_of(error) or Phrase("no reason was given")
    match error:
        case InvalidPayload():
            return invalid_payload([Mistake(location=where, message=what) for where, what in error.mistakes])
        case CommandError():
            status, code = next(problem for kind, problem in _COMMAND_PROBLEMS.items() if isinstance(error, kind))
            return ApiError(status, code, detail, refused=error if isinstance(error, CallRefused) else None)
        case Unknown():
            return not_found(detail)
        case Conflict():
            return conflict(detail)
        case BadCursor():
            return invalid_parameter("query.cursor", detail)
        case BadName():
            return invalid_parameter("path.name", detail)
        case EmptyFile():
            return invalid_parameter("body", detail)
        case FileTooLarge():
            return ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "payload_too_large", detail)
        case StorageFailed():
            return ApiError(
                HTTPStatus.INSUFFICIENT_STORAGE, "not_stored", Phrase("the file can't be stored; the log says why")
            )
    return ApiError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "not_stored",
        Phrase("the database can't be written, the log says why; nothing was changed"),
    )
