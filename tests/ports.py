"""Ports for programs that can't take a free one by themselves."""

from __future__ import annotations

import random
import socket


def free_port() -> int:
    """A port that nobody listens on, below those that systems give away: it stays free until the program is up."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
