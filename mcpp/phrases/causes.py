"""What the system says when something fails, in words of ours: files, disks, the network, TLS.

A log keeps the system's own words; the pages say a sentence of ours, and quote them.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Final

from mcpp.phrases import Phrase, phrase_of, reworded

_NOT_ALLOWED: Final = Phrase("the server’s user isn’t allowed to do that")
_NO_WAY: Final = Phrase("there is no way to the other side in the network")
_HUNG_UP: Final = Phrase("the other side ended the connection")
_IN_VAIN: Final = Phrase("there was no answer in time")

_BY_NUMBER: Final[Mapping[int, Phrase]] = {
    errno.ENOSPC: Phrase("the disk is full"),
    errno.EDQUOT: Phrase("the disk is full"),
    errno.EROFS: Phrase("the disk is read-only"),
    errno.EIO: Phrase("the disk can’t be read or written"),
    errno.EACCES: _NOT_ALLOWED,
    errno.EPERM: _NOT_ALLOWED,
    errno.ENOENT: Phrase("there is no such file"),
    errno.EISDIR: Phrase("that is a directory, not a file"),
    errno.ENOTDIR: Phrase("that is a file, not a directory"),
    errno.EMFILE: Phrase("the server has as many files open as it may"),
    errno.EADDRINUSE: Phrase("another program has that address and port already"),
    errno.EADDRNOTAVAIL: Phrase("this machine doesn’t have that address"),
    errno.ECONNREFUSED: Phrase("the other side takes no connections there"),
    errno.ECONNRESET: _HUNG_UP,
    errno.ECONNABORTED: _HUNG_UP,
    errno.EPIPE: _HUNG_UP,
    errno.EHOSTUNREACH: _NO_WAY,
    errno.ENETUNREACH: _NO_WAY,
    errno.ENETDOWN: _NO_WAY,
    errno.ETIMEDOUT: _IN_VAIN,
}

_DEEPEST: Final = 10
"""Causes of causes that are looked at."""


def explained(error: BaseException, text: str) -> Phrase:
    """How pages tell a failure; `text` is how logs do."""
    why = _reason_of(error)
    if why is None:
        return reworded(text, "in its own words: “{original}”", original=text)
    if why is phrase_of(error):
        return reworded(text, "{why}", why=why)
    return reworded(text, "{why} (“{original}”)", why=why, original=text)


def _reason_of(error: BaseException) -> Phrase | None:
    """By the first of the errors behind an error that is known here."""
    for each in _chain(error):
        known = _known(each)
        if known is not None:
            return known
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    for _ in range(_DEEPEST):
        yield error
        inner = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error.__cause__
        if inner is None and not error.__suppress_context__:
            inner = error.__context__
        if inner is None:
            return
        error = inner


def _known(error: BaseException) -> Phrase | None:
    said = phrase_of(error)
    if isinstance(said, Phrase):
        return said
    match error:
        case socket.gaierror():
            return Phrase("the name of the other side isn’t known in the network")
        case ssl.SSLCertVerificationError():
            return Phrase("the other side’s certificate isn’t trusted")
        case ssl.SSLError():
            return Phrase("there is no encrypted connection with the other side")
        case TimeoutError():
            return _IN_VAIN
        case OSError():
            return _BY_NUMBER.get(error.errno or 0)
    status = getattr(getattr(error, "response", None), "status_code", None)  # what HTTP clients have in common
    return Phrase("the other side answered with HTTP {status}", status=status) if isinstance(status, int) else None
