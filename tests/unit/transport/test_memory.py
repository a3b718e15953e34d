"""What connections hold together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mcpp.transport.memory import Memory


class Holding:
    """Notes whether it was cut, and counts down as a connection does when it ends."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.cut = False

    def give_up(self) -> None:
        self.cut = True
        self.memory.hold(self, 1)
        self.memory.hold(self, 0)


def test_those_that_hold_the_most_are_cut_until_there_is_room() -> None:
    memory = Memory(80)
    holders = [Holding(memory) for _ in range(5)]
    for holder, size in zip(holders, (10, 30, 5, 25, 11), strict=True):
        memory.hold(holder, size)

    assert [holder.cut for holder in holders] == [False, True, False, False, False]
    assert memory.total == 51


def test_one_that_is_too_large_is_cut_itself() -> None:
    memory = Memory(80)
    small, large = Holding(memory), Holding(memory)
    memory.hold(small, 60)
    memory.hold(large, 100)

    assert (small.cut, large.cut, memory.total) == (False, True, 60)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60))))
def test_the_total_is_what_is_held_and_never_too_much(steps: list[tuple[int, int]]) -> None:
    memory = Memory(100)
    holders = [Holding(memory) for _ in range(10)]
    sizes = dict.fromkeys(range(10), 0)
    for number, size in steps:
        memory.hold(holders[number], size)
        sizes[number] = size
        for other, holder in enumerate(holders):
            if holder.cut:
                holder.cut, sizes[other] = False, 0
        assert memory.total == sum(sizes.values()) <= 100
