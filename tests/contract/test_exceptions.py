"""The table of exceptions lists what is needed, and no more."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.contract.exceptions import LENIENCIES, SEVERITIES, Leniency, Severity
from tests.contract.official import VERSIONS, Shape


def named(name: str) -> Shape:
    """The message or definition."""
    (shape,) = (
        shape for version in VERSIONS for shape in (*version.messages, *version.definitions) if str(shape) == name
    )
    return shape


@pytest.mark.parametrize("exception", LENIENCIES, ids=lambda exception: exception.reason)
def test_leniency_is_needed(exception: Leniency) -> None:
    shape = named(exception.shape)

    shape.decode(exception.example)
    assert [exception.excuses(shape, error) for error in shape.official_errors(exception.example)] == [True]


@pytest.mark.parametrize("exception", SEVERITIES, ids=lambda exception: exception.reason)
def test_severity_is_needed(exception: Severity) -> None:
    shape = named(exception.shape)

    assert shape.official_errors(exception.example) == []
    with pytest.raises(ValidationError) as caught:
        shape.decode(exception.example)
    assert [exception.excuses(shape, error) for error in caught.value.errors()] == [True]
