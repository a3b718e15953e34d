"""The authority's files: written whole or not at all, private keys for their owner alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Final

AUTHORITY_CERTIFICATE: Final = "ca.pem"
AUTHORITY_KEY: Final = "ca.key"
SERVER_CERTIFICATE: Final = "server.pem"
SERVER_KEY: Final = "server.key"

DIRECTORY_MODE: Final = 0o700
KEY_MODE: Final = 0o600
CERTIFICATE_MODE: Final = 0o644


class AuthorityUnusable(Exception):
    """The authority can't be used or made; the text is one line that says why and how to mend it."""


def make_directory(path: Path) -> None:
    """The directory, for its owner alone. Raises AuthorityUnusable, also where others can write to it."""
    try:
        path.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise AuthorityUnusable(f"{path} can't be made: {error.strerror or error}") from error
    check_directory(path)


def check_directory(path: Path) -> None:
    """Raises AuthorityUnusable where others could put files in the place of these."""
    with _reading(path):
        mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o022:
        raise AuthorityUnusable(f"others can write to {path} (mode {mode:o}); mend it with: chmod 700 {path}")


def read_key(path: Path) -> bytes:
    """A private key's file. Raises AuthorityUnusable, also where anybody but its owner can read it."""
    with _reading(path):
        # The opened file is what is judged, not what has its name a moment later.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            found = os.fstat(descriptor)
            mode = stat.S_IMODE(found.st_mode)
            if mode & 0o077:
                raise AuthorityUnusable(f"others can read {path} (mode {mode:o}); mend it with: chmod 600 {path}")
            if found.st_uid not in {0, os.geteuid()}:
                raise AuthorityUnusable(f"{path} belongs to another user; mend it with: chown $USER {path}")
            return os.read(descriptor, 1 << 16)
        finally:
            os.close(descriptor)


def read_certificate(path: Path) -> bytes:
    """A certificate's file. Raises AuthorityUnusable."""
    with _reading(path):
        return path.read_bytes()


def write_new(path: Path, content: bytes, mode: int) -> None:
    """A file that must not be there yet, whole and on the disk. Raises AuthorityUnusable."""
    _write(path, content, mode, replace=False)


def write_over(path: Path, content: bytes, mode: int) -> None:
    """A file in place of the one that is there, if one is. Raises AuthorityUnusable."""
    _write(path, content, mode, replace=True)


def _write(path: Path, content: bytes, mode: int, *, replace: bool) -> None:
    partial = path.with_name(f".{path.name}.{token_hex(8)}")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
        try:
            os.fchmod(descriptor, mode)  # whatever the umask takes away
            os.write(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if replace:
            partial.replace(path)
        else:
            os.link(partial, path)  # which fails where there is one, also one that has just come
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except FileExistsError as error:
        raise AuthorityUnusable(f"{path} exists, and is never replaced") from error
    except OSError as error:
        raise AuthorityUnusable(f"{path} can't be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            partial.unlink()


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """What the system refuses is told as the authority's error."""
    try:
        yield
    except OSError as error:
        raise AuthorityUnusable(f"{path} can't be read: {error.strerror or error}") from error
