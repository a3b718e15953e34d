"""Settings that are a file: TOML, checked against a model, with one clear line for each mistake."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mcpp.errors import StartError

M = TypeVar("M", bound=BaseModel)


def read_toml(path: Path, model: type[M]) -> M:
    """The file's content. Raises StartError where it can't be read or isn't valid."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        return model.model_validate(content)
    except OSError as error:
        raise StartError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise StartError(*(f"{path}: {_spelled(mistake)}" for mistake in error.errors())) from error
    except ValueError as error:  # no UTF-8, or no TOML
        raise StartError(f"{path} is no TOML file: {error}") from error


def _spelled(mistake: ErrorDetails) -> str:
    """As people count: `group 2: maximum: Field required`."""
    where = "".join(f" {part + 1}" if isinstance(part, int) else f": {part}" for part in mistake["loc"])
    return f"{where}: {mistake['msg'].removeprefix('Value error, ')}".removeprefix(": ")
