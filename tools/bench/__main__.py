"""`python -m tools.bench telemetry` and `python -m tools.bench scrape`: what telemetry costs on this machine."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import orjson

from tools.bench import scrape, telemetry


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    commands = parser.add_subparsers(required=True)
    _telemetry_command(commands.add_parser("telemetry", help="CPU of a message, with each part of telemetry"))
    _scrape_command(commands.add_parser("scrape", help="what a scrape costs, and what chargers notice of it"))
    options = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], None] = options.run
    run(options)


def _telemetry_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--blocks", type=int, default=9, help="how often each variant has its turn")
    parser.add_argument("--messages", type=int, default=2000, help="of a block, about")
    parser.add_argument("--chargers", type=int, default=100, help="that send at the same time")
    parser.add_argument("--json", type=Path, help="file to write the figures to, too")
    parser.set_defaults(run=_run_telemetry)


def _scrape_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--chargers", type=int, default=2000, help="that the server knows")
    parser.add_argument("--connected", type=int, help="of these; all of them up to 2000, else 1000")
    parser.add_argument("--limit", type=int, default=2000, help="per-charger-metrics-limit of the server")
    parser.add_argument("--rate", type=float, default=300, help="messages a second, of all chargers together")
    parser.add_argument("--seconds", type=float, default=15, help="of a window")
    parser.add_argument("--interval", type=float, default=5, help="seconds from scrape to scrape")
    parser.add_argument("--windows", type=int, default=2, help="with scrapes, and as many without")
    parser.add_argument("--json", type=Path, help="file to write the figures to, too")
    parser.set_defaults(run=_run_scrape)


def _run_telemetry(options: argparse.Namespace) -> None:
    costs = telemetry.measure(blocks=options.blocks, messages=options.messages, chargers=options.chargers)
    _show(telemetry.table(costs), costs, options.json)


def _run_scrape(options: argparse.Namespace) -> None:
    connected: int | None = options.connected
    if connected is None:
        connected = options.chargers if options.chargers <= 2000 else 1000
    found = scrape.measure(
        scrape.Plan(
            chargers=options.chargers,
            connected=connected,
            limit=options.limit,
            rate=options.rate,
            seconds=options.seconds,
            interval=options.interval,
            windows=options.windows,
        )
    )
    _show(scrape.table(found), found, options.json)


def _show(lines: Iterable[str], figures: object, file: Path | None) -> None:
    print(*lines, sep="\n")
    if file is not None:
        file.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
