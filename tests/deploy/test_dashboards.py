"""The dashboards as files: as their description says, whole, and with links that lead somewhere."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.deploy.boards import FOLDER, dashboards, panels, queries
from tests.deploy.programs import DEPLOY
from tools.dashboards.__main__ import texts

KINDS = {"bargauge", "heatmap", "stat", "state-timeline", "table", "timeseries"}

UIDS = {"mcpp-fleet", "mcpp-charger", "mcpp-energy", "mcpp-service"}
"""Links from outside lead to these: they stay."""

PANELS = [(uid, panel) for uid, board in dashboards().items() for panel in panels(board)]


def test_the_files_are_what_their_description_says() -> None:
    assert {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.json")} == texts()


def test_their_names_stay() -> None:
    assert set(dashboards()) == UIDS


@pytest.mark.parametrize("uid", sorted(UIDS))
def test_a_dashboard_fits_any_grafana(uid: str) -> None:
    board = dashboards()[uid]
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}

    assert (variables["prometheus"]["type"], variables["prometheus"]["query"]) == ("datasource", "prometheus")
    assert (variables["traces"]["type"], variables["traces"]["query"]) == ("datasource", "tempo")
    used = set(re.findall(r"\$\{?(\w+)", str([*panels(board), board["annotations"]])))
    of_promql = {name for name in used if name.isdigit()}  # a group of a pattern, as Grafana leaves it
    assert {name for name in used - of_promql if not name.startswith("__")} <= set(variables)
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert all(link["tags"] == ["mcpp"] for link in board["links"])
    assert "mcpp" in board["tags"]


@pytest.mark.parametrize(("uid", "panel"), PANELS, ids=lambda part: part if isinstance(part, str) else part["title"])
def test_a_panel_is_one_that_people_understand(uid: str, panel: dict[str, Any]) -> None:
    assert panel["type"] in KINDS
    assert panel["title"]
    assert len(panel["description"]) > 15
    assert panel["datasource"]["uid"] in {"${prometheus}", "${traces}"}
    letters = [target["refId"] for target in panel["targets"]]
    assert all(letters)
    assert len(set(letters)) == len(letters)
    if panel["type"] in {"stat", "timeseries", "bargauge"}:
        assert panel["fieldConfig"]["defaults"]["unit"]


@pytest.mark.parametrize("uid", sorted(UIDS))
def test_panels_lie_side_by_side(uid: str) -> None:
    """None overlaps another, and none reaches over the edge."""
    taken: set[tuple[int, int]] = set()
    for panel in dashboards()[uid]["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_links_lead_to_dashboards_and_carry_the_charger() -> None:
    links = re.findall(r'"(/d/([\w-]+)\?[^"]*)"', "".join(texts().values()))

    assert len(links) >= 5
    for link, uid in links:
        assert uid in UIDS
        assert re.search(r"var-charge_point=\$\{__(field\.labels\.charge_point|value\.raw)", link)
    assert "var-charge_point" in {f"var-{v['name']}" for v in dashboards()["mcpp-charger"]["templating"]["list"]}


def test_latency_has_exemplars_that_lead_to_the_trace_store() -> None:
    latencies = [
        query
        for query in queries()
        if query.kind == "timeseries" and "mcpp_ocpp_message_duration_seconds_bucket" in query.text
    ]
    sources = yaml.safe_load((DEPLOY / "grafana" / "provisioning" / "datasources" / "mcpp.yaml").read_text())
    by_type = {source["type"]: source for source in sources["datasources"]}
    (destination,) = by_type["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]

    assert latencies
    assert all(query.exemplars for query in latencies)
    assert (destination["name"], destination["datasourceUid"]) == ("trace_id", by_type["tempo"]["uid"])


def test_queries_name_metrics_that_exist() -> None:
    """Most of all those that are empty where nothing is wrong, such as drops: a slip would never show."""
    rules = yaml.safe_load((DEPLOY / "prometheus" / "recording-rules.yml").read_text())
    recorded = {rule["record"] for group in rules["groups"] for rule in group["rules"]}
    names = {name for query in queries() for name in re.findall(r"\b[a-z_]*:mcpp_\w+:\w+\b", query.text)}

    assert names
    assert names <= recorded
