"""Which passwords let a charge point in while its password is changed: any order of sending, answering and use."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mcpp.domain import passwords
from mcpp.domain.charge_points import Connected, PasswordNeeded, Proof, ProofNeeded, connect
from mcpp.domain.passwords import Hashes, TooManyCandidates
from tests.unit.domain.books import NOW, Books


@pytest.fixture
def key(books: Books) -> int:
    found = books.q.get_credentials(identity="CP-1")
    assert found is not None
    passwords.replace(books.q, found.key, "a")
    return found.key


def hashes(books: Books, key: int) -> Hashes:
    return passwords.get_hashes(books.q, key)


def test_use_of_a_new_one_ends_those_before_it(books: Books, key: int) -> None:
    for new in "bcd":
        assert passwords.offer(books.q, key, new) == new
    passwords.used(books.q, key, hashes(books, key), "a")
    assert hashes(books, key) == Hashes("a", ("b", "c", "d"))

    passwords.used(books.q, key, hashes(books, key), "c")
    assert hashes(books, key) == Hashes("c", ("d",))


def test_the_old_one_stays_until_an_accepted_one_is_used(books: Books, key: int) -> None:
    for new in "bcd":
        passwords.offer(books.q, key, new)
    passwords.accepted(books.q, key, "c")
    assert hashes(books, key) == Hashes("a", ("c", "d"))
    passwords.rejected(books.q, key, "d")
    passwords.rejected(books.q, key, "a")
    assert hashes(books, key) == Hashes("a", ("c",))


def test_a_repeat_brings_no_candidate_of_its_own(books: Books, key: int) -> None:
    passwords.offer(books.q, key, "b")
    passwords.offer(books.q, key, "c")
    assert passwords.offer(books.q, key, "a2", same_as="a") is None
    assert passwords.offer(books.q, key, "b2", same_as="b") is None
    assert hashes(books, key) == Hashes("a", ("c", "b"))
    assert passwords.offer(books.q, key, "d", same_as="gone meanwhile") == "d"


def test_there_are_only_so_many(books: Books, key: int) -> None:
    for number in range(passwords.MOST_CANDIDATES):
        passwords.offer(books.q, key, f"b{number}")
    with pytest.raises(TooManyCandidates):
        passwords.offer(books.q, key, "c")


def test_an_operators_word_keeps_what_the_charge_point_may_have(books: Books, key: int) -> None:
    passwords.offer(books.q, key, "b")
    passwords.replace(books.q, key, "z")
    assert hashes(books, key) == Hashes("z", ("b",))
    passwords.replace(books.q, key, None)
    assert hashes(books, key) == Hashes(None, ())


def test_who_must_prove_who_it_is_can_not_do_so_without_a_password(books: Books, key: int) -> None:
    def asked(identity: str, proof: Proof | None = None) -> object:
        return connect(books.q, identity, "1.6", NOW, register_unknown=True, must_prove=True, proof=proof)

    before = books.q.get_charge_point(identity="CP-2")
    assert asked("CP-2") == asked("CP-9") == ProofNeeded()
    assert books.q.get_charge_point(identity="CP-2") == before
    assert books.q.get_charge_point(identity="CP-9") is None
    assert asked("CP-1") == PasswordNeeded(Hashes("a", ()))
    assert isinstance(asked("CP-1", Proof(Hashes("a", ()), "a")), Connected)


@dataclass
class _Charger:
    """Honest: it uses the last key that it has stored, at once or from its next reboot on."""

    at_reboot: bool
    used: str | None = "a"
    stored: str | None = "a"

    def receive(self, key: str) -> None:
        self.stored = key
        if not self.at_reboot:
            self.used = key


class KeyChanges(RuleBasedStateMachine):
    """Whatever gets lost, the charger gets in by the key that it uses, and by the one that it will use."""

    def __init__(self) -> None:
        super().__init__()
        self.books = Books()
        known = self.books.q.get_credentials(identity="CP-1")
        assert known is not None
        self.key = known.key
        passwords.replace(self.books.q, self.key, "a")
        self.charger = _Charger(at_reboot=False)
        self.names = iter(f"key-{number}" for number in range(10_000))
        self.sent: list[str] = ["a"]

    @initialize(at_reboot=st.booleans())
    def is_of_a_kind(self, at_reboot: bool) -> None:
        self.charger.at_reboot = at_reboot

    @rule(
        fate=st.sampled_from(["not_received", "answer_lost", "accepted", "rejected"]),
        again=st.booleans(),
        which=st.integers(0, 3),
    )
    def change(self, fate: str, again: bool, which: int) -> None:
        q, stored = self.books.q, passwords.get_hashes(self.books.q, self.key)
        new = self.sent[-1 - which % len(self.sent)] if again else next(self.names)
        self.sent.append(new)
        try:
            offered = passwords.offer(q, self.key, new, same_as=new if new in stored.all else None)
        except TooManyCandidates:
            return
        if fate in {"answer_lost", "accepted"}:
            self.charger.receive(new)
        if offered is not None and fate == "accepted":
            passwords.accepted(q, self.key, offered)
        if offered is not None and fate == "rejected":
            passwords.rejected(q, self.key, offered)

    @rule(reboots=st.booleans())
    def connects(self, reboots: bool) -> None:
        if reboots:
            self.charger.used = self.charger.stored
        stored = passwords.get_hashes(self.books.q, self.key)
        assert self.charger.used in stored.all
        proof = Proof(stored, self.charger.used)
        assert isinstance(connect(self.books.q, "CP-1", "1.6", NOW, register_unknown=False, proof=proof), Connected)

    @invariant()
    def gets_in(self) -> None:
        stored = passwords.get_hashes(self.books.q, self.key)
        assert {self.charger.used, self.charger.stored} <= set(stored.all)

    def teardown(self) -> None:
        self.books.connection.close()


KeyChanges.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestKeyChanges = KeyChanges.TestCase
