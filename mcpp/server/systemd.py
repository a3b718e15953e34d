"""What systemd is told: that the server is up, what it does, and that it's alive (sd_notify(3))."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

_LONGEST_TEXT: Final = 1000
"""Characters of a status."""


class ServiceManager:
    """Sends to the socket that NOTIFY_SOCKET names; says nothing where there is none. Any thread may use it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # @ stands for the zero byte that an abstract address begins with.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self.watchdog_seconds = _watchdog_seconds(environment) if address else None
        """How long systemd waits for `alive`; None where it doesn't."""
        self._is_ready = False

    def ready(self, status: str) -> None:
        """The server answers."""
        self._is_ready = True
        self._send(f"READY=1\nSTATUS={_line(status)}")

    def status(self, status: str) -> None:
        """What it does now, for `systemctl status`."""
        self._send(f"STATUS={_line(status)}")

    def stopping(self) -> None:
        """The server is about to end."""
        self._send("STOPPING=1\nSTATUS=stopping")

    def alive(self) -> None:
        """The server does its work; not told before it's ready, since systemd has another limit for that."""
        if self._is_ready:
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # Whoever doesn't listen can't be told; it's no reason to end.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            sender.sendto(message.encode(), self._address)


def _line(text: str) -> str:
    return " ".join(text[:_LONGEST_TEXT].split())


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """As sd_watchdog_enabled(3) reads them; a process that inherited the variables isn't meant."""
    microseconds, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or int(microseconds) == 0 or pid not in {"", str(os.getpid())}:
        return None
    return int(microseconds) / 1_000_000
