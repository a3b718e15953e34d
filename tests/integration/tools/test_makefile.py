"""What `make` offers, as its help has it."""

from __future__ import annotations

import re

from tests.programs import ROOT, make


def test_help_names_every_command() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = sorted(re.findall(r"^([\w-]+):(?!=)", makefile, re.MULTILINE))
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)

    shown = make()  # without a target it's the help

    assert sorted(re.findall(r"^  make ([\w-]+) +\S", shown, re.MULTILINE)) == commands
    assert sorted(phony.split()) == commands
    assert len(shown.splitlines()) == len(commands)
