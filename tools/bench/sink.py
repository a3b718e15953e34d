"""A collector that takes whatever comes, as a process of its own: `python -m tools.bench.sink --port 4318`.

It looks at nothing, so that what it costs belongs to no measurement. With `--delay` it answers late, or never.
"""

from __future__ import annotations

import argparse
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Taker(BaseHTTPRequestHandler):
    """Answers 200 with an empty body, which is an empty ExportTraceServiceResponse."""

    protocol_version = "HTTP/1.1"
    delay = 0.0
    """Seconds."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.delay)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class calls it so
        """Says nothing."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.sink", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; 0 takes a free one and prints it")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds until a batch is answered")
    options = parser.parse_args()
    _Taker.delay = options.delay
    with ThreadingHTTPServer(("127.0.0.1", options.port), _Taker) as server:
        server.daemon_threads = True
        print(server.server_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
