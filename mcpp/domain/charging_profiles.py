"""Charging profiles by name, for commands that refer to them; what they say is up to caller and charger."""

from __future__ import annotations

from mcpp.domain.errors import Unknown
from mcpp.phrases import Phrase
from mcpp_generated.db.queries import Queries


class UnknownChargingProfile(Unknown):
    """A command or a request names a charging profile that isn't stored."""

    def __init__(self, name: str) -> None:
        super().__init__(Phrase("no charging profile is stored by the name {name!r}", name=name))
        self.name = name


def put(q: Queries, name: str, profile: str, ocpp_version: str) -> bool:
    """Store a profile, JSON text that was checked before, as it is. Returns whether it's a new one.

    `ocpp_version` is the oldest version whose profile it is.
    """
    created = q.get_charging_profile(name=name) is None
    q.put_charging_profile(name=name, profile=profile, ocpp_version=ocpp_version)
    return created


def resolve(q: Queries, name: str) -> str:
    """The profile's JSON text. Raises UnknownChargingProfile."""
    stored = q.get_charging_profile(name=name)
    if stored is None:
        raise UnknownChargingProfile(name)
    return stored.profile


def delete(q: Queries, name: str) -> None:
    """Forget a profile; chargers that have it keep it. Raises UnknownChargingProfile."""
    if not q.delete_charging_profile(name=name):
        raise UnknownChargingProfile(name)
