"""`make demo`: a real server and one virtual charge point that charges a car, shown on the screen.

The server runs over a temporary database; everything is thrown away afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from mcpp.server.versions import VERSIONS
from tools.demo import ocpp2, ocpp16
from tools.demo.screen import Screen
from tools.demo.server import fetch, server

_BY_NAME: Final = {version.name: version for version in VERSIONS}
_FIRST: Final = VERSIONS[0].name
_TRANSACTION: Final = 1
"""The first of its server."""


async def demo(version: str, screen: Screen, pace: float) -> None:
    """Run the whole session; `pace` is the time between two messages, in seconds."""
    with tempfile.TemporaryDirectory(prefix="mcpp-demo-") as folder:
        async with server(Path(folder) / "demo.db") as (ocpp_url, http_url):
            screen.title("MCPP is up")
            screen.note(f"chargers connect to {ocpp_url}/…, people to {http_url}; this one speaks OCPP {version}")
            if version == _FIRST:
                await ocpp16.charge(ocpp_url, screen, pace)
            else:
                await ocpp2.charge(ocpp_url, _BY_NAME[version], screen, pace)
            path = f"/api/v1/transactions/{_TRANSACTION}"
            transaction = await asyncio.to_thread(fetch, http_url + path)
            screen.title(f"What the API has of it: GET {path}")
            for name, value in transaction.items():
                screen.note(f"{name:<24}{json.dumps(value)}")
    print("\nThe same with your own charger: make run", flush=True)


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description="A charging session on the screen.")
    parser.add_argument("--pace", type=float, default=0.7, metavar="SECONDS", help="between two messages (default 0.7)")
    parser.add_argument(
        "--version", choices=_BY_NAME, default=_FIRST, help=f"of OCPP that the charger speaks (default {_FIRST})"
    )
    given = parser.parse_args()
    os.environ["no_proxy"] = "*"  # nothing leaves this machine
    screen = Screen(colors=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    try:
        asyncio.run(demo(given.version, screen, given.pace))
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
