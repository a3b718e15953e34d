"""`python -m tools.bench compare`, `versions`, `telemetry`, `scrape`, `steps`, `repairs`: what MCPP costs here."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import orjson

from tools.bench import compare, markdown, repairs, scrape, steps, telemetry, versions
from tools.bench.messages2 import CHARGERS
from tools.bench.turns import Plan


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    commands = parser.add_subparsers(required=True)
    _compare_command(commands.add_parser("compare", help="a message's CPU beside the ocpp package's, and memory"))
    _versions_command(commands.add_parser("versions", help="a message's CPU by the OCPP version that chargers speak"))
    _telemetry_command(commands.add_parser("telemetry", help="a message's CPU with less and more telemetry"))
    _scrape_command(commands.add_parser("scrape", help="what a scrape costs, and what chargers notice of it"))
    _steps_command(commands.add_parser("steps", help="a message's CPU step by step; needs py-spy"))
    _repairs_command(commands.add_parser("repairs", help="each rule of repair at its worst input of 1 MiB"))
    options = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], None] = options.run
    run(options)


def _compare_command(parser: argparse.ArgumentParser) -> None:
    _add_turns(parser)
    parser.add_argument("--against", type=Path, help="another checkout, measured in the same run as `before`")
    parser.add_argument(
        "--quick", action="store_true", help="show that everything works, in seconds; the figures mean nothing"
    )
    _add_output(parser)
    parser.set_defaults(run=_run_compare)


def _versions_command(parser: argparse.ArgumentParser) -> None:
    _add_turns(parser)
    parser.add_argument(
        "--version", action="append", choices=list(CHARGERS), help="beside 1.6, again for another; all without it"
    )
    _add_output(parser)
    parser.set_defaults(run=_run_versions)


def _telemetry_command(parser: argparse.ArgumentParser) -> None:
    _add_turns(parser)
    parser.add_argument("--rate", type=float, help="messages a second of all chargers, instead of a closed loop")
    parser.add_argument("--ill-collectors", action="store_true", help="measure collectors that take no spans, too")
    _add_output(parser)
    parser.set_defaults(run=_run_telemetry)


def _scrape_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--chargers", type=int, default=2000, help="that the server knows")
    parser.add_argument("--connected", type=int, help="of these; all of them up to 2000, else 1000")
    parser.add_argument("--limit", type=int, default=2000, help="per-charger-metrics-limit of the server")
    parser.add_argument("--rate", type=float, default=300, help="messages a second, of all chargers together")
    parser.add_argument("--seconds", type=float, default=15, help="of a window")
    parser.add_argument("--interval", type=float, default=5, help="seconds from scrape to scrape")
    parser.add_argument("--windows", type=int, default=2, help="with scrapes, and as many without")
    _add_json(parser)
    parser.set_defaults(run=_run_scrape)


def _steps_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--against", type=Path, help="another checkout, measured in the same run")
    parser.add_argument("--seconds", type=float, default=5, help="of each workload")
    parser.add_argument("--connections", type=int, default=100, help="to the server")
    _add_output(parser)
    parser.set_defaults(run=_run_steps)


def _repairs_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--turns", type=int, default=7, help="of each input; the least counts")
    _add_output(parser)
    parser.set_defaults(run=_run_repairs)


def _add_turns(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--turns", type=int, default=5, help="of each server at each workload")
    parser.add_argument("--seconds", type=float, default=3, help="of a turn")
    parser.add_argument("--connections", type=int, default=100, help="to each server")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, help="file to write all figures to, too")


def _add_output(parser: argparse.ArgumentParser) -> None:
    _add_json(parser)
    parser.add_argument("--write", type=Path, help="document to put the tables into, between its marks")


def _run_compare(options: argparse.Namespace) -> None:
    against: Path | None = options.against and options.against.resolve()
    if options.quick:
        found = compare.measure_quickly(against, _progress)
    else:
        plan = Plan(options.turns, options.seconds, options.connections)
        found = compare.measure(plan, against=against, progress=_progress)
    _publish("compare", list(compare.report(found)), found, options)


def _run_versions(options: argparse.Namespace) -> None:
    plan = Plan(options.turns, options.seconds, options.connections)
    found = versions.measure(plan, options.version or list(CHARGERS), _progress)
    _publish("versions", list(versions.report(found)), found, options)


def _run_telemetry(options: argparse.Namespace) -> None:
    plan = Plan(options.turns, options.seconds, options.connections, options.rate)
    found = telemetry.measure(plan, ill_collectors=options.ill_collectors, progress=_progress)
    _publish("telemetry", list(telemetry.report(found)), found, options)


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
    _show(list(scrape.report(found)), found, options)


def _run_steps(options: argparse.Namespace) -> None:
    found = steps.measure(
        against=options.against and options.against.resolve(),
        seconds=options.seconds,
        connections=options.connections,
        progress=_progress,
    )
    _publish("steps", list(steps.report(found)), found, options)


def _run_repairs(options: argparse.Namespace) -> None:
    figures = repairs.measure(options.turns)
    _publish("repairs", list(repairs.report(figures)), figures, options)


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(lines: Iterable[str], figures: object, options: argparse.Namespace) -> None:
    print(*lines, sep="\n")
    if options.json is not None:
        options.json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))


def _publish(name: str, lines: list[str], figures: object, options: argparse.Namespace) -> None:
    _show(lines, figures, options)
    if options.write is not None:
        markdown.write(options.write, name, lines)


if __name__ == "__main__":
    main()
