"""The flags of a command, made from the fields of `Settings`: one place for name, default, unit and help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

import click
from pydantic.fields import FieldInfo

from mcpp.reads.csv_text import DIALECTS, Dialect
from mcpp.settings import Settings, allowed_range, default_text, flag, is_number, variable

EPILOG = (
    "A flag beats its variable, a variable beats the default. Lists are comma-separated. "
    "A switch is turned by --NAME, --NAME on, --NAME off or --no-NAME."
)


class WholeNumber(click.IntRange):
    """A number of a range, which help and mistakes name as they do that of a setting."""

    name = "number"

    def _describe_range(self) -> str:
        return f"{self.min} or more" if self.max is None else f"{self.min} to {self.max}"


def setting_options(*names: str) -> list[click.Parameter]:
    """A flag for each of the settings; without names for all of them."""
    return [option for name in names or Settings.model_fields for option in _options(name, Settings.model_fields[name])]


def dialect_option() -> click.Option:
    """For whom CSV is."""
    return click.Option(
        ["--dialect"],
        type=click.Choice([dialect.value for dialect in Dialect]),
        default=Dialect.STANDARD.value,
        show_default=True,
        help=f"Of csv. {DIALECTS}",
    )


def given_flags(values: Mapping[str, object]) -> dict[str, str]:
    """The text of the flags that were given, by setting, from the values that click passes to a command."""
    turned_off = {name.removeprefix(_NO): "off" for name, value in values.items() if name.startswith(_NO) and value}
    return {
        name: str(value) for name, value in values.items() if name in Settings.model_fields and value is not None
    } | (turned_off)


_NO = "no_"


def _options(name: str, field: FieldInfo) -> Iterator[click.Option]:
    # Text, whatever the setting's type: Settings reads flags and variables alike, and reports all mistakes at once.
    if field.annotation is bool:
        yield click.Option(
            [flag(name), name], type=str, is_flag=False, flag_value="on", metavar="[on|off]", help=_help(name, field)
        )
        yield click.Option([f"--no-{flag(name)[2:]}", f"{_NO}{name}"], is_flag=True, hidden=True)
    else:
        yield click.Option([flag(name), name], type=str, metavar=_metavar(field), help=_help(name, field))


def _metavar(field: FieldInfo) -> str:
    if isinstance(field.annotation, type) and issubclass(field.annotation, StrEnum):
        return f"[{'|'.join(field.annotation)}]"
    return "NUMBER" if is_number(field) else "TEXT"


def _help(name: str, field: FieldInfo) -> str:
    facts = (allowed_range(field), f"default: {default_text(name)}", f"variable: {variable(name)}")
    return f"{field.description} [{'; '.join(filter(None, facts))}]"
