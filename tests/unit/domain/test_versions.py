"""Which version of OCPP a connection gets: the charger's preference, among what an operator lets it speak."""

from __future__ import annotations

import pytest

from mcpp.domain import charge_points
from mcpp.domain.charge_points import Connected, VersionNotAllowed, Wanted
from tests.unit.domain.books import NOW, Books


@pytest.mark.parametrize(
    ("allowed", "offered", "spoken"),
    [
        (None, ("2.1", "2.0.1", "1.6"), "2.1"),
        (["1.6", "2.0.1"], ("2.1", "2.0.1", "1.6"), "2.0.1"),
        (["1.6"], ("2.0.1", "1.6"), "1.6"),
        (["1.6"], ("2.0.1",), None),
    ],
)
def test_the_first_that_it_offers_and_may_speak(
    allowed: list[str] | None, offered: tuple[str, ...], spoken: str | None
) -> None:
    q = Books().q
    charge_points.put_charge_point(q, "CP-9", Wanted(ocpp_versions=allowed), NOW)

    found = charge_points.connect(q, "CP-9", offered[0], NOW, register_unknown=True, other_versions=offered[1:])

    known = q.get_charge_point(identity="CP-9")
    assert known is not None
    assert known.ocpp_version == spoken
    if spoken is None:
        assert found == VersionNotAllowed(("1.6",))
    else:
        assert isinstance(found, Connected)
        assert found.ocpp_version == spoken
