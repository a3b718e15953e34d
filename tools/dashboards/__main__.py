"""`python -m tools.dashboards` writes deploy/grafana/dashboards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from tools.dashboards import charger, energy, fleet, service

FOLDER: Final = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards"

DASHBOARDS: Final = (fleet, charger, energy, service)


def texts() -> dict[str, str]:
    """Each dashboard's JSON, by file name."""
    boards = [module.dashboard() for module in DASHBOARDS]
    return {
        f"{board.uid}.json": json.dumps(board, cls=JSONEncoder, indent=2, sort_keys=True) + "\n" for board in boards
    }


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in texts().items():
        (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
