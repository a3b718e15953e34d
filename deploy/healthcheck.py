"""Whether the server of this container is healthy: the exit code says it. Asks by HTTP, then by HTTPS."""

from __future__ import annotations

import os
import ssl
import urllib.request
from http.client import HTTPException

ADDRESS = f"127.0.0.1:{os.environ.get('MCPP_HTTP_PORT', '8080')}/healthz"
SECONDS = 2
"""For each of the two."""


def main() -> None:
    # Within the container nobody is in between: whose certificate it is doesn't matter.
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=unverified)
    )
    try:
        direct.open(f"http://{ADDRESS}", timeout=SECONDS).close()
    except (OSError, HTTPException):  # or an answer that isn't 200, such as the one of a port that speaks TLS
        direct.open(f"https://{ADDRESS}", timeout=SECONDS).close()


if __name__ == "__main__":
    main()
