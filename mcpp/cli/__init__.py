"""The command `mcpp`."""

from mcpp.cli.program import main as main
