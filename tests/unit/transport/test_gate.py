"""How many connections there may be, and who gives way."""

from __future__ import annotations

from mcpp.transport.gate import Gate


def test_who_opens_many_sockets_loses_his_own() -> None:
    gate: Gate[str] = Gate(most_strangers=4)
    for name in ("a1", "b1", "a2", "a3"):
        assert gate.connection_opened(name, name[0]) is None

    assert gate.connection_opened("a4", "a") == "a1"
    assert gate.connection_opened("c1", "c") == "a2"
    gate.gone("a1", "a")
    assert gate.connection_opened("a5", "a") == "a3"


def test_one_that_has_said_who_it_is_is_no_stranger_until_it_has_ended() -> None:
    gate: Gate[str] = Gate(most_strangers=1)
    gate.connection_opened("a1", "a")
    gate.identified("a1", "a", "192.0.2.1")
    assert gate.connection_opened("b1", "b") is None

    gate.ended("a1", "a")
    assert gate.connection_opened("c1", "c") in {"a1", "b1"}


def test_an_address_is_crowded_by_those_that_have_proven_nothing() -> None:
    gate: Gate[int] = Gate(most_per_address=2)
    for number in range(4):
        gate.connection_opened(number, "10.0.0.1")
        gate.identified(number, "10.0.0.1", "192.0.2.1" if number else "127.0.0.1")
    assert [gate.is_crowded(number) for number in range(4)] == [False, True, True, True]

    gate.authenticated(1)
    gate.authenticated(1)
    assert not any(gate.is_crowded(number) for number in range(4))
    gate.connection_opened(4, "10.0.0.1")
    gate.identified(4, "10.0.0.1", "192.0.2.1")
    assert gate.is_crowded(4)
    gate.ended(2, "10.0.0.1")
    gate.gone(2, "10.0.0.1")
    gate.gone(1, "10.0.0.1")
    assert not gate.is_crowded(4)


def test_nothing_is_left_of_those_that_are_gone() -> None:
    gate: Gate[int] = Gate(most=1)
    for number in range(3):
        gate.connection_opened(number, "192.0.2.1")
    for number in range(2):
        gate.identified(number, "192.0.2.1", "192.0.2.1")
    full_before = gate.is_full
    for number in range(3):
        gate.ended(number, "192.0.2.1")
        gate.gone(number, "192.0.2.1")

    assert (full_before, gate.is_full) == (True, False)
    untouched: Gate[int] = Gate(most=1)
    assert vars(gate) == vars(untouched)
