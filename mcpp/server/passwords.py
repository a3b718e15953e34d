"""Charge points' passwords: how they are stored, and how thousands are checked without stalling anything.

A charge point may send its key as text, as hexadecimal text or as the bytes that this stands for; all are brought to
one form before they are hashed or compared. The hash is scrypt's, at a cost that lets a whole fleet back in within the
time limit of a handshake after a restart: the keys that OCPP asks for are random, and it's those that protect it.

Who was right once in the life of this process is recognised by a keyed digest from then on, at no cost. What is left
is checked in one thread, in order of arrival, one attempt at a time of an identity from an address. So whoever guesses
can keep nobody else waiting for longer than one check for each identity that he knows.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final
from weakref import WeakValueDictionary

_LOG2_COST: Final = 11
"""2 MiB of memory and some 3 ms of a desktop's CPU."""
_BLOCK_SIZE: Final = 8
_PARALLELISM: Final = 1
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32

_MOST_WAITING: Final = 4096
"""More than a machine checks within the time of a handshake."""

_STORED: Final = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")

_HEX_KEY: Final = re.compile(rb"(?:[0-9A-Fa-f]{2}){4,}")
"""At least four bytes: what is shorter is somebody's number, not a key."""


def hash_password(password: str | bytes) -> str:
    """The text to store for a password, with a salt of its own (PHC string format); takes milliseconds of CPU."""
    salt = os.urandom(_SALT_BYTES)
    key = _derive(canonical(password), salt, _LOG2_COST, _BLOCK_SIZE, _PARALLELISM, _HASH_BYTES)
    return f"$scrypt$ln={_LOG2_COST},r={_BLOCK_SIZE},p={_PARALLELISM}${_encode(salt)}${_encode(key)}"


def password_matches(stored: str, password: str | bytes) -> bool:
    """Whether it's the password that `stored` was made of; takes milliseconds of CPU.

    Raises ValueError where `stored` isn't from `hash_password`.
    """
    parts = _STORED.fullmatch(stored)
    if parts is None:
        raise ValueError("a stored password hash can't be read")
    log2_cost, block_size, parallelism = (int(number) for number in parts.groups()[:3])
    salt, expected = (_decode(text) for text in parts.groups()[3:])
    key = _derive(canonical(password), salt, log2_cost, block_size, parallelism, len(expected))
    return hmac.compare_digest(key, expected)


def canonical(password: str | bytes) -> bytes:
    """One form for the ways to send a key: text, hexadecimal text, or the bytes that this stands for.

    Bytes that happen to read as hexadecimal text are taken further down, so that all of them meet at the bottom.
    """
    key = password.encode() if isinstance(password, str) else password
    while _HEX_KEY.fullmatch(key):
        key = binascii.unhexlify(key)
    return key


class TooManyChecks(Exception):
    """So many passwords wait to be checked that this one would come too late."""


class Passwords:
    """Hashes and checks passwords beside the event loop that it is used on."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mcpp-passwords")
        self._secret = os.urandom(32)
        self._proven: dict[str, bytes] = {}
        """A digest of hash and password, by the identity that last sent the right one."""
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        """Held by the one attempt of an identity from an address that is being checked."""
        self._waiting = 0

    async def hash(self, password: str | bytes) -> str:
        """As `hash_password`."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, hash_password, password)

    async def find_same(self, stored: Sequence[str], password: str | bytes) -> str | None:
        """The hash that is of this password, if one is; not for passwords that somebody sends to get in."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, _find_same, stored, password)

    def recognise(self, identity: str, stored: Sequence[str], password: bytes) -> str | None:
        """The hash that the password belongs to, where this process has found that before; at no cost."""
        return next((known for known in stored if self._is_proven(identity, self._digest(known, password))), None)

    async def find(self, identity: str, remote: str, stored: Sequence[str], password: bytes) -> str | None:
        """The hash that the password belongs to, for a charge point that connects from the address `remote`.

        Raises TooManyChecks.
        """
        if self._waiting >= _MOST_WAITING:
            raise TooManyChecks
        self._waiting += 1
        try:
            for known in stored:
                if await self.check(identity, remote, known, password):
                    return known
            return None
        finally:
            self._waiting -= 1

    async def check(self, identity: str, remote: str, stored: str, password: bytes) -> bool:
        """As `password_matches`, for a charge point that connects from the address `remote`.

        Costs nothing where the same was found right before; a changed password makes `stored` another one.
        """
        digest = self._digest(stored, password)
        if self._is_proven(identity, digest):
            return True
        turn = self._turns.setdefault((identity, remote), asyncio.Lock())
        async with turn:
            if self._is_proven(identity, digest):  # by the attempt before
                return True
            loop = asyncio.get_running_loop()
            # Cancelled with the connection, an attempt that still waits is never made.
            matches = await loop.run_in_executor(self._worker, password_matches, stored, password)
            if matches:
                self._proven[identity] = digest
            return matches

    def close(self) -> None:
        """Drop what waits and end the thread."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _is_proven(self, identity: str, digest: bytes) -> bool:
        return hmac.compare_digest(self._proven.get(identity, b""), digest)

    def _digest(self, stored: str, password: bytes) -> bytes:
        # The stored hash has a fixed alphabet without NUL: the two can't run into each other.
        return hmac.digest(self._secret, stored.encode() + b"\0" + canonical(password), "sha256")


def _find_same(stored: Sequence[str], password: str | bytes) -> str | None:
    for known in stored:
        with suppress(ValueError):  # one that can't be read is of no password
            if password_matches(known, password):
                return known
    return None


def _derive(password: bytes, salt: bytes, log2_cost: int, block_size: int, parallelism: int, length: int) -> bytes:
    cost = 1 << log2_cost
    memory = 128 * block_size * (cost + parallelism + 2)
    return hashlib.scrypt(password, salt=salt, n=cost, r=block_size, p=parallelism, maxmem=2 * memory, dklen=length)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
