"""Charging profiles are kept by name, as they were given."""

from __future__ import annotations

import pytest

from mcpp.domain import charging_profiles
from mcpp.domain.charging_profiles import UnknownChargingProfile
from tests.unit.domain.books import Books

PROFILE = '{"stackLevel": 0,  "chargingProfileId": 1}'


def test_a_profile_is_stored_replaced_and_forgotten(books: Books) -> None:
    created = charging_profiles.put(books.q, "night", "{}", "1.6")
    replaced = charging_profiles.put(books.q, "night", PROFILE, "1.6")
    other = charging_profiles.put(books.q, "Night", "{}", "1.6")
    stored = charging_profiles.resolve(books.q, "night")
    charging_profiles.delete(books.q, "night")

    assert (created, replaced, other) == (True, False, True)
    assert stored == PROFILE
    assert [p.name for p in books.q.list_charging_profiles(after="", page_size=9)] == ["Night"]
    with pytest.raises(UnknownChargingProfile, match="night"):
        charging_profiles.resolve(books.q, "night")
    with pytest.raises(UnknownChargingProfile, match="night"):
        charging_profiles.delete(books.q, "night")
