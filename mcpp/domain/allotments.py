"""Numbers that the central system gives out, each of its kind once and never again."""

from __future__ import annotations

from typing import Literal, TypeAlias

from mcpp_generated.db.queries import Queries

Kind: TypeAlias = Literal["reservation", "request", "remote_start"]


def allot(q: Queries, kind: Kind) -> int:
    """A number that no charge point was ever sent as one of this kind, from 1 on.

    A reservation's is also none that a caller once chose by itself, as it lives on under it.
    """
    while True:
        number = q.allot_number(kind=kind)
        if kind != "reservation" or not q.is_reservation_id_known(reservation_id=number):
            return number
