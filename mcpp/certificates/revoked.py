"""What is revoked, in memory: asked at every handshake with a certificate."""

from __future__ import annotations

from collections.abc import Iterable


class Revoked:
    """The serial numbers of the certificates that count no more, however their hexadecimal digits are written."""

    def __init__(self, serial_numbers: Iterable[str] = ()) -> None:
        self._serials = set(map(_plain, serial_numbers))

    def is_revoked(self, serial_number: str) -> bool:
        """Whether nobody gets in by the certificate of this serial number."""
        return _plain(serial_number) in self._serials

    def add(self, serial_number: str) -> None:
        """From now on nobody does."""
        self._serials.add(_plain(serial_number))


def _plain(serial_number: str) -> str:
    return serial_number.replace(":", "").lstrip("0").upper()
