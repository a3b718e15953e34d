"""The OCPP versions that may be spoken, the one place that lists them, and what is chosen among them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

from pydantic import BaseModel

from mcpp.csms.inquiries import ask_all
from mcpp.csms.live import Exchange, LiveChargePoints
from mcpp.csms.version import ByVersion, KnownVersion
from mcpp.domain.assignment import Content
from mcpp.domain.inquiries import Inquiry, TransactionAnswer
from mcpp.errors import StartError
from mcpp.ocpp2.known import KNOWN_21, KNOWN_201
from mcpp.ocpp16.known import KNOWN as OCPP16
from mcpp.ocppj.errors import NotConnected
from mcpp.storage.writer import Writer
from mcpp_generated.db.enums import UnmatchedKind
from mcpp_generated.db.queries import Queries

VERSIONS: Final[tuple[KnownVersion, ...]] = (OCPP16, KNOWN_201, KNOWN_21)
"""The first serves charge points that offer no subprotocol."""

VOCABULARY: Final = VERSIONS[0].vocabulary
"""What a reader of the log goes by: the versions agree in these names."""

_READ_UNMATCHED: Final = ByVersion(VERSIONS, lambda version: version.read_unmatched)


EVSE_VERSIONS: Final = frozenset(version.name for version in VERSIONS if version.has_evses)
"""Those in which connectors are numbered within EVSEs."""

_NAMES: Final = [version.name for version in VERSIONS]


def spoken_versions(wanted: Sequence[str] | None) -> tuple[KnownVersion, ...]:
    """Those of these names, in the order of VERSIONS, or all. Raises StartError for a name that there isn't."""
    if wanted is None:
        return VERSIONS
    unknown = [name for name in wanted if name not in _NAMES]
    if unknown:
        known = ", ".join(_NAMES)
        raise StartError(f"ocpp-versions: there is no version {unknown[0]!r} here; those that can be spoken: {known}")
    return tuple(version for version in VERSIONS if version.name in wanted)


BUTTONS: Final = {version.name: version.buttons for version in VERSIONS}
"""The pages' buttons, by version."""

KEY_CHANGES: Final = {version.name: version.key_change for version in VERSIONS if version.key_change is not None}
"""How the pages change a key of the configuration, by version."""


def read_unmatched(version: str, kind: UnmatchedKind, payload: str) -> Content:
    """A stored message, read by the version that it is in."""
    return _READ_UNMATCHED[version](kind, payload)


CHARGING_PROFILES: Final = ByVersion(VERSIONS, lambda version: version.charging_profile)
"""The model of a stored charging profile, by version."""


def ask_transactions(
    live: LiveChargePoints,
) -> Callable[[Sequence[Inquiry]], Awaitable[list[tuple[Inquiry, TransactionAnswer]]]]:
    """Asks charge points about transactions, by the version that each of them speaks."""
    by_version = ByVersion(
        VERSIONS, lambda version: None if version.ask_transaction is None else version.ask_transaction(live)
    )
    return lambda inquiries: ask_all(inquiries, live, by_version)


def local_list_sync(
    writer: Writer[Queries], live: LiveChargePoints, now: Callable[[], datetime]
) -> Callable[[str], Awaitable[Exchange[BaseModel]]]:
    """The synchronization of local lists, by the version that each charge point speaks."""
    by_version = ByVersion(VERSIONS, lambda version: version.local_list_sync(writer, live, now))

    async def sync(identity: str) -> Exchange[BaseModel]:
        version = live.version_of(identity)
        if version is None:
            raise NotConnected(identity)
        return await by_version[version](identity)

    return sync
