"""The commands of INTERFACE.md §1."""

from __future__ import annotations

from importlib import import_module

import click

from mcpp import __version__
from mcpp.errors import StartError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells count: 128 and the signal's number."""

# \b: click leaves the lines of that paragraph as they are.
_EPILOG = """The shell completes commands, OCPP operations and connected charge points after

\b
    eval "$(_MCPP_COMPLETE=bash_source mcpp)"

or the same with zsh_source or fish_source, best put into the shell's start-up file."""


def main() -> int:
    """Runs the command line. Returns the exit code; what is wrong goes to standard error, a line each."""
    try:
        code: object = program.main(prog_name="mcpp", standalone_mode=False)
    except click.ClickException as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except StartError as error:
        for line in error.lines:
            click.echo(line, err=True)
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    return code if isinstance(code, int) else 0


class DeferredCommand(click.Command):
    """A command whose module is imported when it's used: no other command, help or completion waits for it."""

    def __init__(self, name: str, target: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help)
        self._target = target

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        """The context of the real command, which is what click goes on with."""
        return self.load().make_context(info_name, args, parent, **extra)

    def load(self) -> click.Command:
        """The real command."""
        module, _, attribute = self._target.partition(":")
        command: object = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EPILOG,
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def program() -> None:
    """MCPP, the Minimal Central Power Point: a central system for EV chargers."""


for _name, _target, _short_help in (
    ("serve", "mcpp.cli.server:serve", "Run the central system."),
    ("migrate", "mcpp.cli.server:migrate_database", "Bring the database to the schema of this program."),
    ("check-config", "mcpp.cli.server:check_config", "Print the effective settings."),
    ("status", "mcpp.cli.status:status", "Show the fleet: what needs somebody, and each charger's state."),
    ("call", "mcpp.cli.call:call", "Send one OCPP operation to a charge point."),
    (
        "import",
        "mcpp.cli.importing:import_",
        "Read id tags, charge points or people from CSV, or all of SteVe's export.",
    ),
    ("export", "mcpp.cli.exporting:export", "Write the database's records as CSV or JSON."),
    ("report", "mcpp.cli.reporting:report", "Sum up energy and sessions."),
    ("conformance", "mcpp.cli.conformance:conformance", "Show what chargers break of the contract."),
    ("trace", "mcpp.cli.trace:trace", "Show the story of a charging session."),
    ("ca", "mcpp.cli.ca:ca", "The built-in certificate authority."),
    ("token", "mcpp.cli.token:token", "Named tokens of the API and the pages."),
    ("deploy", "mcpp.cli.deploying:deploy", "Print or write files for systemd, Prometheus, Grafana and containers."),
    ("backup", "mcpp.cli.backup:backup", "Copy the database while a server writes to it."),
    ("restore", "mcpp.cli.restore:restore", "Put a backup in place of the database, while no server runs."),
):
    program.add_command(DeferredCommand(_name, _target, _short_help))
