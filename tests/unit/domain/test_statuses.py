"""What a connector's status means."""

from __future__ import annotations

import pytest

from mcpp.domain.statuses import (
    awaits_start,
    had_transaction,
    is_free,
    is_in_transaction,
    is_out_of_service,
    may_draw_current,
)

PREDICATES = (is_free, awaits_start, is_in_transaction, had_transaction, is_out_of_service, may_draw_current)


@pytest.mark.parametrize(
    ("status", "holds"),
    [
        ("Available", {is_free}),
        ("Preparing", {awaits_start, may_draw_current}),
        ("Charging", {is_in_transaction, had_transaction, may_draw_current}),
        ("SuspendedEV", {is_in_transaction, had_transaction, may_draw_current}),
        ("SuspendedEVSE", {is_in_transaction, had_transaction, may_draw_current}),
        ("Finishing", {had_transaction}),
        ("Reserved", set()),
        ("Unavailable", {is_out_of_service}),
        ("Faulted", {is_out_of_service}),
        # A text of a charger's own says nothing, but a fuse must hold whatever it means.
        ("Occupied", {may_draw_current}),
        (None, set()),
    ],
)
def test_what_a_status_means(status: str | None, holds: set[object]) -> None:
    assert {predicate for predicate in PREDICATES if predicate(status)} == holds
