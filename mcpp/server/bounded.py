"""A table that strangers may fill: of a fixed size, the entry that was used longest ago goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class BoundedTable(Generic[KeyT, ValueT]):
    """Keeps the entries used last."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[KeyT, ValueT] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def items(self) -> list[tuple[KeyT, ValueT]]:
        """All entries, which don't count as used, that which was used longest ago first."""
        return list(self._entries.items())

    def get(self, key: KeyT) -> ValueT | None:
        """The entry, which counts as used."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def get_or_add(self, key: KeyT, make: Callable[[], ValueT]) -> ValueT:
        """The entry, a new one where there is none."""
        entry = self.get(key)
        if entry is None:
            entry = self._entries[key] = make()
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
        return entry
