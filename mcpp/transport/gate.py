"""How many connections there may be: in all, from one address, and of those that haven't said who they are.

A connection is a stranger until its request is there and once it has ended, while its socket lingers. Strangers have
places of their own, so that they take none from charge points; where those are full, a new one takes the place of the
oldest from the address that has the most. So whoever opens many sockets loses his own.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from mcpp.transport.addresses import counted_as

C = TypeVar("C", bound=Hashable)

MOST_STRANGERS: Final = 2048


class Gate(Generic[C]):
    """Counts connections; belongs to the event loop."""

    def __init__(
        self, *, most: int = 20_000, most_per_address: int = 2000, most_strangers: int = MOST_STRANGERS
    ) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._most_strangers = most_strangers
        self._strangers: dict[str, dict[C, None]] = {}
        """By address, oldest first."""
        self._strangers_in_all = 0
        self._guests: dict[C, str | None] = {}
        """Those that have said who they are, by the address that they count for."""
        self._per_address: dict[str, int] = {}

    def connection_opened(self, connection: C, address: str) -> C | None:
        """A socket was accepted, before anything was read from it. Returns the one to cut in its favour, if any."""
        self._strangers.setdefault(address, {})[connection] = None
        self._strangers_in_all += 1
        if self._strangers_in_all <= self._most_strangers:
            return None
        crowded = max(self._strangers, key=lambda address: len(self._strangers[address]))
        oldest = next(iter(self._strangers[crowded]))
        self._drop_stranger(oldest, crowded)
        return oldest

    def identified(self, connection: C, peer: str, client: str) -> None:
        """It has sent its request; `peer` is the address of its socket, `client` the one behind trusted proxies."""
        self._drop_stranger(connection, peer)
        counted = counted_as(client)
        self._guests[connection] = counted
        if counted is not None:
            self._per_address[counted] = self._per_address.get(counted, 0) + 1

    @property
    def is_full(self) -> bool:
        """Whether those that have said who they are, the newest one included, are more than there may be."""
        return len(self._guests) > self._most

    def is_crowded(self, connection: C) -> bool:
        """Whether its address has more than its share."""
        counted = self._guests.get(connection)
        return counted is not None and self._per_address[counted] > self._most_per_address

    def authenticated(self, connection: C) -> None:
        """It has proven who it is: it counts for no address any more."""
        if connection in self._guests:
            self._count_down(self._guests[connection])
            self._guests[connection] = None

    def ended(self, connection: C, peer: str) -> None:
        """No message comes any more, but its socket may linger."""
        if connection in self._guests:
            self._count_down(self._guests.pop(connection))
            self._strangers.setdefault(peer, {})[connection] = None
            self._strangers_in_all += 1

    def gone(self, connection: C, peer: str) -> None:
        """Its socket is closed."""
        if connection in self._guests:
            self._count_down(self._guests.pop(connection))
        else:
            self._drop_stranger(connection, peer)

    def _count_down(self, counted: str | None) -> None:
        if counted is None:
            return
        self._per_address[counted] -= 1
        if not self._per_address[counted]:
            del self._per_address[counted]

    def _drop_stranger(self, connection: C, address: str) -> None:
        strangers = self._strangers.get(address)
        if strangers is None or connection not in strangers:
            return
        del strangers[connection]
        self._strangers_in_all -= 1
        if not strangers:
            del self._strangers[address]
