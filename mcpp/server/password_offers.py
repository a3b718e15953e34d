"""Keeps the passwords that charge points are sent, from before the sending until it shows which one they use."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from mcpp.domain import passwords as rules
from mcpp.ocppj.errors import KeyChangesOpen, NotStored
from mcpp.phrases import Phrase
from mcpp.server.passwords import Passwords
from mcpp.storage.pending import WriteFailed
from mcpp.storage.writer import Writer
from mcpp_generated.db.queries import Queries


class PasswordOffers:
    """Makes an offer of each CALL that carries a password."""

    def __init__(self, writer: Writer[Queries], passwords: Passwords) -> None:
        self.writer = writer
        self.passwords = passwords
        self.turn = asyncio.Lock()
        """Held while one is kept, so that they are kept in the order in which they go out."""

    def __call__(self, charge_point_key: int, password: str) -> PasswordOffer:
        return PasswordOffer(self, charge_point_key, password)


class PasswordOffer:
    """Implements mcpp.csms.offers.Offer."""

    __slots__ = ("_candidate", "_key", "_offers", "_password")

    def __init__(self, offers: PasswordOffers, charge_point_key: int, password: str) -> None:
        self._offers = offers
        self._key = charge_point_key
        self._password = password
        self._candidate: str | None = None
        """The hash that this CALL has brought; a repeat brings none, so its answer says nothing of the CALL before."""

    async def keep(self) -> None:
        """See Offer."""
        writer, passwords = self._offers.writer, self._offers.passwords
        try:
            async with self._offers.turn:
                known = await writer.submit(rules.get_hashes, self._key)
                same_as = await passwords.find_same(known.all, self._password)
                new_hash = await passwords.hash(self._password)
                # Cancelled while this is under way, it's kept all the same, and the CALL doesn't go out.
                self._candidate = new_hash
                self._candidate = await writer.submit(rules.offer, self._key, new_hash, same_as)
        except asyncio.CancelledError:
            self.take_back()
            raise
        except WriteFailed as error:
            text = Phrase(
                "the new key was not sent, since it could not be stored before: the database can't be written, the log "
                "says why"
            )
            raise NotStored(text) from error
        except rules.TooManyCandidates:
            text = Phrase(
                "the new key was not sent: {count} others were, and the charge point has neither answered nor used any "
                "of them; have it connect anew, or set its password",
                count=rules.MOST_CANDIDATES,
            )
            raise KeyChangesOpen(text) from None

    def take_back(self) -> None:
        """See Offer."""
        if self._candidate is not None:
            with suppress(WriteFailed):  # an offer too many stays in force: nobody is locked out
                self._offers.writer.submit(rules.rejected, self._key, self._candidate)

    async def answered(self, *, accepted: bool) -> None:
        """See Offer."""
        if self._candidate is not None:
            change = rules.accepted if accepted else rules.rejected
            await self._offers.writer.submit(change, self._key, self._candidate)
