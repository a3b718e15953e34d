"""Every hook with its signature. A hook may be a plain function or `async`; it may leave out what it doesn't need.

Hooks that tell come after the commit and after the charger has its answer, in order for each charge point. Hooks that
ask (`authorize`, `data_transfer_received`) hold the charger's answer, so they have a short time limit, after which the
server decides as if nobody had been asked; the first answer that isn't None counts.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeAlias

import pluggy

from mcpp.domain import events
from mcpp.domain.authorization import Authorization
from mcpp.plugins.site import Site

hookspec = pluggy.HookspecMarker("mcpp")
hookimpl = pluggy.HookimplMarker("mcpp")
"""Marks a plugin's function as the hook of its name."""

Told: TypeAlias = Awaitable[None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationQuestion:
    """May this id tag charge? Asked for Authorize and for StartTransaction (OCPP 1.6 §4.1, §4.8)."""

    charge_point_id: str
    connector_id: int | None
    """None for Authorize, which names none."""
    id_tag: str
    by_the_books: Authorization
    """What the server answers if no plugin does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTransferQuestion:
    """A vendor's message of its own (OCPP 1.6 §4.3)."""

    charge_point_id: str
    vendor_id: str
    message_id: str | None
    data: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTransferAnswer:
    """The answer to a vendor's message; `status` as OCPP 1.6 §7.14 spells it."""

    status: str
    data: str | None = None
