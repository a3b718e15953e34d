"""Why something that a person requests can't be done; the text is for that person."""

from __future__ import annotations

from mcpp.phrases import Phrase


class DomainError(Exception):
    """Base of them; nothing was changed."""


class Unknown(DomainError):
    """What it's about isn't in the database."""


class Conflict(DomainError):
    """It conflicts with what is stored."""


def no_charge_point(identity: str) -> Phrase:
    """Said wherever a charge point is looked for."""
    return Phrase("there is no charge point {identity!r}", identity=identity)


def no_transaction(transaction_id: int) -> Phrase:
    """Said wherever a transaction is looked for."""
    return Phrase("there is no transaction {number}", number=transaction_id)


def stopped_before(transaction_id: int) -> Phrase:
    """It would have to run for what is asked."""
    return Phrase("transaction {number} was stopped before", number=transaction_id)


def no_person(person_id: str) -> Phrase:
    """Said wherever a person is looked for."""
    return Phrase("there is no person {person!r}", person=person_id)


def nothing_unmatched(unmatched_id: int) -> Phrase:
    """Neither a stop nor meter values are kept aside by this number."""
    return Phrase("nothing unmatched has the id {number}", number=unmatched_id)
