"""`mcpp deploy`: what runs and watches the server elsewhere, as files to use as they are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import click

from mcpp.errors import StartError

_SYSTEMD: Final = "systemd/mcpp.service"
_BACKUP: Final = "systemd/mcpp-backup.service"
_COMPOSE: Final = "compose.yaml"

_SETS: Final = {
    "systemd": (_SYSTEMD,),
    "backup": (_BACKUP, "systemd/mcpp-backup.timer"),
    "prometheus": ("prometheus",),
    "grafana": ("grafana",),
    "compose": (
        "README.md",
        _COMPOSE,
        "Dockerfile",
        "healthcheck.py",
        "otel-collector",
        "tempo",
        "prometheus",
        "grafana",
    ),
}
"""What belongs together, by name: files and directories of deploy/."""

_OWN_DIRECTORY: Final = ("compose",)
"""Sets whose files are written where they are among one another; of the others, without the set's own directory."""

_PROGRAM: Final = "/opt/mcpp/bin/mcpp"

_HIDDEN: Final = ("/home/", "/root/", "/tmp/")  # noqa: S108  # nosec B108  compared, not used
"""Where the unit's hardening lets nothing be seen."""


@click.command(
    params=[
        click.Argument(["which"], type=click.Choice(list(_SETS))),
        click.Argument(["file"], required=False),
        click.Option(
            ["--output"],
            metavar="DIR",
            type=click.Path(file_okay=False, path_type=Path),
            help="Write the files there and list them.",
        ),
        click.Option(["--force"], is_flag=True, help="Write over files that are there and differ."),
    ]
)
def deploy(which: str, file: str | None, output: Path | None, *, force: bool) -> None:
    """Print or write files for systemd, Prometheus, Grafana and containers.

    Without --output it prints FILE, or the only one; where there are several, it lists them. So a service is made by
    mcpp deploy systemd --output /etc/systemd/system, and one dashboard is printed by mcpp deploy grafana
    dashboards/mcpp-fleet.json.
    """
    texts = dict(_texts(which))
    if file is not None:
        if file not in texts:
            raise StartError(f"there is no {file} in {which}; there are {', '.join(sorted(texts))}")
        texts = {file: texts[file]}
    if output is not None:
        _write(texts, output, force=force)
    elif len(texts) == 1:
        click.echo("".join(texts.values()), nl=False)
    else:
        for name in sorted(texts):
            click.echo(name)
        click.echo(f"mcpp deploy {which} FILE prints one, --output DIR writes all of them", err=True)
    if which in {"systemd", "backup"} and str(_program()).startswith(_HIDDEN):
        click.echo(f"the service can't see {_program()}: install MCPP in /opt/mcpp, say, and ask that one", err=True)


def _write(texts: dict[str, str], output: Path, *, force: bool) -> None:
    kept = [
        str(path)
        for name, text in texts.items()
        if (path := output / name).exists() and not force and path.read_bytes() != text.encode()
    ]
    if kept:
        raise StartError(*(f"{path} is there and differs; --force writes over it" for path in kept))
    for name, text in sorted(texts.items()):
        path = output / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        except OSError as error:
            raise StartError(f"{path} can't be written: {error.strerror or error}") from error
        click.echo(path)


def _texts(which: str) -> Iterator[tuple[str, str]]:
    """The files of a set by the names that they are written by, fit for where MCPP is installed."""
    root = _root()
    for name in _SETS[which]:
        for found, text in _read(root.joinpath(name), name):
            yield found if which in _OWN_DIRECTORY else found.partition("/")[2], _fitted(found, text)


def _read(place: Traversable, name: str) -> Iterator[tuple[str, str]]:
    if place.is_file():
        yield name, place.read_text("utf-8")
        return
    for entry in place.iterdir():
        if entry.name not in {"tests", "__pycache__"}:
            yield from _read(entry, f"{name}/{entry.name}")


def _root() -> Traversable:
    """In the installed package, else in the checkout that it is run from."""
    installed = files("mcpp").joinpath("deploy")
    return installed if installed.is_dir() else Path(__file__).parents[2] / "deploy"


def _program() -> Path:
    """The command that was given, else the one of this installation."""
    given = Path(sys.argv[0]).absolute()
    return given if given.name == "mcpp" else Path(sys.prefix, "bin", "mcpp")


def _fitted(name: str, text: str) -> str:
    """What the repository's own file says of a checkout and of /opt/mcpp, said of this installation."""
    if name in {_SYSTEMD, _BACKUP}:
        return text.replace(_PROGRAM, str(_program()))
    if name == _COMPOSE:
        built = "      context: ..\n      dockerfile: deploy/Dockerfile\n      args:\n        SOURCE: checkout\n"
        assert built in text, "compose.yaml says how its image is built"
        return text.replace(built, "      context: .\n      args:\n        SOURCE: package\n")
    return text
