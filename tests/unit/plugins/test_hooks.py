"""Hooks, events and their documentation belong together."""

from __future__ import annotations

import inspect
import re
import typing
from pathlib import Path

import pytest

import mcpp.plugins
from mcpp.plugins.hookspecs import HookSpecs
from mcpp.plugins.worker import PluginLimits
from mcpp.reads.event_json import EVENT_KINDS, event_name

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")

HOOKS = {name: function for name, function in vars(HookSpecs).items() if inspect.isfunction(function)}
ABOUT_THE_SERVER = {"server_started", "server_stopping"}
FOR_ALL_EVENTS = {"event_published"}
QUESTIONS = {"authorize", "contract_certificate_wanted", "data_transfer_received"}


def test_every_event_has_a_hook_of_its_name_that_takes_it_and_no_other_hook_takes_one() -> None:
    taken = {
        name: typing.get_type_hints(function).get("event")
        for name, function in HOOKS.items()
        if name not in ABOUT_THE_SERVER | FOR_ALL_EVENTS | QUESTIONS
    }

    assert taken == {event_name(kind): kind for kind in EVENT_KINDS}


def test_every_event_is_offered_to_plugin_authors() -> None:
    assert {kind.__name__ for kind in EVENT_KINDS} <= set(mcpp.plugins.__all__)
    assert all(hasattr(mcpp.plugins, name) for name in mcpp.plugins.__all__)


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_typed_and_explained(name: str) -> None:
    function = HOOKS[name]
    hints = typing.get_type_hints(function)

    assert function.__doc__
    assert hints["return"] is not None
    assert set(inspect.signature(function).parameters) - {"self"} == hints.keys() - {"return"}


def test_the_page_lists_every_hook_with_its_arguments_and_its_docstring() -> None:
    listed = re.findall(r"^\| `(\w+)\(([\w, ]+)\)` \| (.+) \|$", PAGE, re.MULTILINE)

    assert {name: (arguments, text) for name, arguments, text in listed} == {
        name: (
            ", ".join(list(inspect.signature(function).parameters)[1:]),
            " ".join((inspect.getdoc(function) or "").split()),
        )
        for name, function in HOOKS.items()
    }


def test_the_page_gives_the_limits_that_hold() -> None:
    limits = PluginLimits()

    for limit in (
        f"{limits.hook_timeout:g} s",
        f"{limits.job_timeout / 60:g} minutes",
        f"{limits.question_timeout:g} s",
        f"{limits.stop_timeout:g} s",
        f"{limits.queue:,} events",
        f"{limits.side_by_side} charge points",
    ):
        assert limit in PAGE


def test_the_page_shows_the_example_as_it_is() -> None:
    example = ROOT / "examples" / "energy-cap"
    plugin = (example / "mcpp_energy_cap.py").read_text(encoding="utf-8")

    assert len(plugin.splitlines()) <= 30
    for text in (plugin, (example / "pyproject.toml").read_text(encoding="utf-8")):
        assert text in PAGE
