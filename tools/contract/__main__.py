"""`python -m tools.contract generate` and `python -m tools.contract digests [--write]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.contract import schemas, table
from tools.contract.generate import generate, write
from tools.contract.widening import check_widening

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 and one line on standard error where contract and schemas don't agree."""
    options = _parser().parse_args(arguments)
    try:
        contracts = table.load_all(options.contracts)
        check_widening(contracts)
        for contract in contracts:
            options.run(options, contract)
    except table.ContractError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _generate(options: argparse.Namespace, contract: table.Contract) -> None:
    write(generate(contract, schemas.folder(contract)), options.output / contract.module)


def _digests(options: argparse.Namespace, contract: table.Contract) -> None:
    sources = schemas.read(contract, schemas.folder(contract))
    text = contract.path.read_text("utf-8")
    for action, part, known, actual in schemas.digests(contract, sources):
        if known != actual:
            print(f"{contract.path.name}: {action} {part}: {known} is now {actual}")
            text = table.write_digest(text, action, part, actual)
    if options.write:
        contract.path.write_text(text, "utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.contract", description=__doc__)
    parser.add_argument("--contracts", type=Path, default=ROOT / "contracts", help="folder of the tables")
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("generate", help="write the models and action tables")
    verb.add_argument("--output", type=Path, default=ROOT / "generated" / "mcpp_generated")
    verb.set_defaults(run=_generate)
    verb = verbs.add_parser("digests", help="show which schemas differ from those the tables know")
    verb.add_argument("--write", action="store_true", help="bring the tables up to date")
    verb.set_defaults(run=_digests)
    return parser


if __name__ == "__main__":
    sys.exit(main())
