"""The authority as a running server has it: loaded when it is needed, anew when its files change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from mcpp.certificates.files import AUTHORITY_CERTIFICATE, AUTHORITY_KEY, AuthorityUnusable
from mcpp.phrases import Phrase

if TYPE_CHECKING:
    from mcpp.certificates.authority import Authority


class AuthorityStore:
    """The authority of a directory, which `mcpp ca init` may make while the server runs."""

    def __init__(self, directory: Path) -> None:
        self.directory: Final = directory
        self._loaded: Authority | None = None
        self._seen: tuple[object, ...] = ()

    def get(self) -> Authority:
        """The authority as its files are now. Raises AuthorityUnusable, which says how to mend it."""
        files = self._look()
        if self._loaded is None or files != self._seen:
            from mcpp.certificates.authority import load_authority  # with it comes cryptography: most servers have none

            self._loaded = None
            self._loaded = load_authority(self.directory)
            self._seen = files
        return self._loaded

    @property
    def exists(self) -> bool:
        """Whether somebody has made one."""
        return (self.directory / AUTHORITY_CERTIFICATE).exists()

    def _look(self) -> tuple[object, ...]:
        found = []
        for name in (AUTHORITY_CERTIFICATE, AUTHORITY_KEY):
            try:
                state = (self.directory / name).stat()
            except FileNotFoundError as error:
                text = Phrase(
                    "there is no certificate authority in {directory}; mcpp ca init makes one",
                    directory=str(self.directory),
                )
                raise AuthorityUnusable(text) from error
            except OSError as error:
                raise AuthorityUnusable(f"{self.directory / name} can't be read: {error.strerror or error}") from error
            found.append((state.st_ino, state.st_mtime_ns, state.st_mode, state.st_uid))
        return tuple(found)
