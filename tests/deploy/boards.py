"""The dashboards as Grafana would read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from tests.deploy.programs import DEPLOY

FOLDER: Final = DEPLOY / "grafana" / "dashboards"


class Query(NamedTuple):
    """One query of a panel."""

    dashboard: str
    panel: str
    kind: str
    text: str
    exemplars: bool
    datasource: str


def dashboards() -> dict[str, Any]:
    """By uid, as JSON holds them."""
    boards = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
    return {board["uid"]: board for board in boards}


def panels(board: Any) -> list[Any]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries() -> Iterator[Query]:
    for uid, board in dashboards().items():
        for panel in panels(board):
            for target in panel["targets"]:
                text = target["expr"] if "expr" in target else target["query"]
                source = target["datasource"]["type"]
                yield Query(uid, panel["title"], panel["type"], text, bool(target.get("exemplar")), source)
