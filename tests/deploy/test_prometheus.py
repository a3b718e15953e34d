"""Prometheus' own tool on its configuration, the rules and their unit tests."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.deploy.programs import DEPLOY, run
from tests.programs import program

FOLDER = DEPLOY / "prometheus"
RULES = ("recording-rules.yml", "alerting-rules.yml")
UNIT_TESTS = sorted((FOLDER / "tests").glob("*.yml"))


@pytest.fixture
def promtool() -> str:
    return program("promtool", "prometheus")


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerting-rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_the_configuration_is_sound(promtool: str) -> None:
    checked = run(promtool, "check", "config", FOLDER / "prometheus.yml")

    assert checked.returncode == 0, checked.stdout


def test_the_rules_are_sound(promtool: str) -> None:
    checked = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *(FOLDER / name for name in RULES))

    assert checked.returncode == 0, checked.stdout


def test_the_rules_do_what_their_unit_tests_say(promtool: str) -> None:
    assert UNIT_TESTS
    tested = run(promtool, "test", "rules", *UNIT_TESTS)

    assert tested.returncode == 0, tested.stdout


def test_every_rule_has_a_unit_test() -> None:
    tests = "".join(path.read_text() for path in UNIT_TESTS)
    names = [rule.get("alert") or rule["record"] for name in RULES for rule in _rules_of(name)]

    assert [name for name in names if not re.search(rf"{re.escape(name)}\b", tests)] == []


def _rules_of(name: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / name).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: str(alert["alert"]))
def test_an_alert_says_how_bad_it_is_and_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["alert"].startswith("Mcpp")
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(alert["annotations"]) == {"summary", "description"}
    assert len(alert["annotations"]["description"]) > 150


def test_every_page_needs_a_scrape_job_that_exists() -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    jobs = {job["job_name"] for job in config["scrape_configs"]}
    asked = set(re.findall(r'job="(\w+)"', (FOLDER / "alerting-rules.yml").read_text()))

    assert asked
    assert asked <= jobs
