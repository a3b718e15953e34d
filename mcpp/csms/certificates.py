"""What certificates ask of charge points, in no version's words; a version's room translates it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

from mcpp.domain.occasion import Occasion, Result
from mcpp_generated.db.queries import Queries

TakeSigningRequest: TypeAlias = Callable[[Queries, Occasion], Result[bool]]
"""Takes a signing request within a unit of work; whether it is taken."""

ReadSigningRequest: TypeAlias = Callable[[str, int | None], TakeSigningRequest]
"""Reads the text of a signing request, and says what is to be done with it in the database.

The number is the charge point's own of the request; None where it gave none.
"""


class Verdict(NamedTuple):
    """What a charge point answered."""

    accepted: bool
    word: str
    """Its own."""
    needs_restart: bool = False
    """It does what it accepted once it is restarted."""


class CertificateOperations(Protocol):
    """Typed commands to charge points, by identity.

    All raise NotConnected, QueueFull, CallRefused, CallTimeout, ConnectionLost or InvalidAnswer (mcpp.ocppj.errors).
    """

    async def install_root(self, charge_point_id: str, certificate: str) -> Verdict:
        """Have it trust servers whose certificates come from this authority (PEM)."""
        ...

    async def ask_for_request(self, charge_point_id: str) -> Verdict:
        """Have it send a signing request; that comes later, or doesn't."""
        ...

    async def deliver(self, charge_point_id: str, certificate: str, request_id: int | None) -> Verdict:
        """Send the certificate (PEM) that was made of its request, of that number if it gave one.

        What it answers is stored on the way.
        """
        ...

    async def raise_profile(self, charge_point_id: str, profile: int, url: str) -> Verdict:
        """Have it connect by this security profile from now on; `url` is this server's, without the identity."""
        ...

    async def restart(self, charge_point_id: str) -> Verdict:
        """Have it restart, transactions ended in order."""
        ...
