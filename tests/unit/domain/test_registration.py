"""Charge points registered ahead of time, changed, protected and forgotten."""

from __future__ import annotations

from mcpp.domain.charge_points import (
    Connected,
    Deletion,
    NotRegistered,
    PasswordNeeded,
    Proof,
    Registered,
    Wanted,
    connect,
    delete_charge_point,
    put_charge_point,
)
from mcpp.domain.events import ChargePointForgotten
from mcpp.domain.occasion import OperatorOccasion, Result
from mcpp.domain.passwords import Hashes, replace
from mcpp.domain.security_profiles import ASKS_NOTHING, SecurityProfile, all_authenticated
from mcpp_generated.db.models import ChargePoint
from tests.unit.domain.books import NOW, Books, minute


def charge_point(books: Books, identity: str) -> ChargePoint:
    found = books.q.get_charge_point(identity=identity)
    assert found is not None
    return found


def test_one_registered_ahead_of_time_may_connect_where_registration_is_closed(books: Books) -> None:
    assert connect(books.q, "CP-9", "1.6", NOW, register_unknown=False) == NotRegistered()
    registered = put_charge_point(books.q, "CP-9", Wanted(display_name="Yard"), NOW)

    assert registered.created
    assert charge_point(books, "CP-9").last_connect_at is None
    assert connect(books.q, "CP-9", "1.6", minute(1), register_unknown=False) == Connected(
        registered.key, 1, ocpp_version="1.6"
    )
    assert charge_point(books, "CP-9").display_name == "Yard"


def test_the_refusal_knows_of_one_in_another_letter_case(books: Books) -> None:
    refused = connect(books.q, "cp-1", "1.6", NOW, register_unknown=False)

    assert refused == NotRegistered(in_other_case="CP-1")
    assert books.q.get_charge_point(identity="cp-1") is None


def test_the_first_connection_knows_of_one_in_another_letter_case(books: Books) -> None:
    """It is registered as any other: identities are compared with regard to case."""
    put_charge_point(books.q, "Cp-2", Wanted(), NOW)
    found = [
        connect(books.q, identity, "1.6", NOW, register_unknown=True)
        for identity in ("cp-1", "cp-1", "Cp-2", "CP-1", "CP-3")
    ]

    assert [(c.epoch, c.in_other_case) for c in found if isinstance(c, Connected)] == [
        (1, "CP-1"),
        (2, None),
        (1, "CP-2"),
        (2, None),
        (1, None),
    ]


def test_what_is_not_said_stays_and_none_takes_away(books: Books) -> None:
    put_charge_point(books.q, "CP-9", Wanted(display_name="Yard", auto_start=True, password_hash="hash"), NOW)
    again = put_charge_point(books.q, "CP-9", Wanted(auto_start=None), minute(1))
    after = charge_point(books, "CP-9")

    assert again == Registered(after.key, created=False)
    assert (after.display_name, after.auto_start, after.password_hash) == ("Yard", None, "hash")
    assert after.registered_at == NOW

    put_charge_point(books.q, "CP-9", Wanted(display_name=None, auto_start=False, password_hash=None), minute(2))
    after = charge_point(books, "CP-9")
    assert (after.display_name, after.auto_start, after.password_hash) == (None, False, None)


def test_a_connection_is_not_booked_before_the_password_is_proven(books: Books) -> None:
    key = put_charge_point(books.q, "CP-9", Wanted(password_hash="hash"), NOW).key

    needed, older = Hashes("hash", ()), Hashes("older", ())
    for proof in (None, Proof(older, "older"), Proof(needed, None)):
        found = connect(books.q, "CP-9", "1.6", NOW, register_unknown=True, proof=proof)
        assert found == PasswordNeeded(needed)
    assert charge_point(books, "CP-9").last_connect_at is None
    proof = Proof(needed, "hash")
    connected = connect(books.q, "CP-9", "1.6", NOW, register_unknown=True, proof=proof)
    assert connected == Connected(key, 1, security_profile=SecurityProfile.PASSWORD, ocpp_version="1.6")
    assert charge_point(books, "CP-9").authenticated_at == NOW
    assert charge_point(books, "CP-9").last_connect_at == NOW


def test_hashes_do_not_show_in_what_may_be_logged() -> None:
    assert "hash-text" not in repr(PasswordNeeded(Hashes("hash-text", ("hash-text",))))
    assert "hash-text" not in repr(Wanted(password_hash="hash-text"))


def test_chargers_count_as_authenticated_when_none_may_come_without_a_password(books: Books) -> None:
    one, other = charge_point(books, "CP-1").key, charge_point(books, "CP-2").key
    replace(books.q, one, "hash")

    assert not all_authenticated(books.q, ASKS_NOTHING, register_unknown=False)
    replace(books.q, other, "hash")
    assert all_authenticated(books.q, ASKS_NOTHING, register_unknown=False)
    assert not all_authenticated(books.q, ASKS_NOTHING, register_unknown=True)
    replace(books.q, one, None)
    assert not all_authenticated(books.q, ASKS_NOTHING, register_unknown=False)


BY_HAND = OperatorOccasion("a" * 32, NOW)


def test_one_with_transactions_is_only_forgotten_on_purpose(books: Books) -> None:
    books.start(connector=1)
    books.stop(1)
    books.start(connector=2)
    refused = delete_charge_point(books.q, BY_HAND, "CP-1", purge=False)

    assert refused == Result(Deletion(deleted=False, transactions=2))
    assert books.count("transactions") == 2

    others = books.count("connectors") - 2
    purged = delete_charge_point(books.q, BY_HAND, "CP-1", purge=True)
    told = ChargePointForgotten(charge_point_id="CP-1", correlation_id="a" * 32, at=NOW, open_transactions=1)
    assert purged == Result(Deletion(deleted=True, transactions=2), (told,))
    assert (books.count("transactions"), books.count("connectors")) == (0, others)
    assert books.q.get_charge_point(identity="CP-1") is None


def test_one_without_transactions_is_forgotten_at_once(books: Books) -> None:
    deletion = delete_charge_point(books.q, BY_HAND, "CP-2", purge=False)

    assert deletion.value == Deletion(deleted=True, transactions=0)
    assert delete_charge_point(books.q, BY_HAND, "CP-2", purge=False) == Result(None)
    assert books.q.get_charge_point(identity="CP-1") is not None
