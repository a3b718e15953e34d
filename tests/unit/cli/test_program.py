"""The list of commands."""

from __future__ import annotations

import pytest

from mcpp.cli.program import DeferredCommand, program


@pytest.mark.parametrize("name", sorted(program.commands))
def test_the_list_says_of_a_command_what_the_command_says_of_itself(name: str) -> None:
    listed = program.commands[name]
    assert isinstance(listed, DeferredCommand)

    command = listed.load()

    assert command.name == name
    assert command.get_short_help_str(100) == listed.get_short_help_str(100)
