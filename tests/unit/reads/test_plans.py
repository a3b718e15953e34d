"""Every list of the API, and the newest register, is read along an index, in its order: no scan, no sorting."""

from __future__ import annotations

import re
import sqlite3

import pytest

from mcpp.storage.sqlite.migrations import migrate
from mcpp_generated.db.sqlite import statements

SAME_MOMENT = "USE TEMP B-TREE FOR RIGHT PART OF ORDER BY"
"""Sorts rows that are equal in the index's order: here samples of one moment."""


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        (statements.LIST_IDENTITIES, "sqlite_autoindex_charge_points_1 (identity>?)"),
        (statements.LIST_IDENTITIES_BY_VENDOR, "charge_points_by_vendor (vendor=? AND identity>?)"),
        (statements.FIND_IN_OTHER_CASE, "charge_points_whatever_case (identity=?)"),
        (statements.LIST_TRANSACTIONS, "transactions_by_start (started_at>? AND started_at<?)"),
        (
            statements.LIST_TRANSACTIONS_OF_CHARGE_POINT,
            "transactions_by_charge_point (charge_point_key=? AND started_at>? AND started_at<?)",
        ),
        (
            statements.LIST_TRANSACTIONS_OF_CONNECTOR,
            "transactions_by_connector (connector_key=? AND started_at>? AND started_at<?)",
        ),
        (
            statements.LIST_TRANSACTIONS_OF_ID_TAG,
            "transactions_by_id_tag (id_tag=? AND started_at>? AND started_at<?)",
        ),
        (
            statements.LIST_TRANSACTIONS_OF_CONNECTOR_ID,
            "transactions_by_connector_id (connector_id=? AND started_at>? AND started_at<?)",
        ),
        (statements.LIST_IMPLAUSIBLE_TRANSACTIONS, "transactions_implausible (started_at>? AND started_at<?)"),
        (statements.LIST_RECOVERED_TRANSACTIONS, "transactions_recovered_by_start (started_at>? AND started_at<?)"),
        (statements.LIST_OPEN_TRANSACTIONS, "transactions_open (started_at>? AND started_at<?)"),
        (statements.LIST_TRANSACTIONS_BY_END, "transactions_by_stop (stopped_at>? AND stopped_at<?)"),
        (statements.GET_TRANSACTION, "INTEGER PRIMARY KEY (rowid=?)"),
        (statements.LIST_TRANSACTION_SAMPLES, "PRIMARY KEY (transaction_id=? AND measured_at>?)"),
        (statements.LIST_ENERGY_READINGS, "PRIMARY KEY (transaction_id=? AND measured_at<?)"),
        (statements.LIST_CONNECTORS, "sqlite_autoindex_connectors_1 (charge_point_key=?)"),
        (statements.LIST_SHOWN_CONNECTORS, "sqlite_autoindex_connectors_1 (charge_point_key=?)"),
        (
            statements.LIST_TIMES_IN_USE,
            "transactions_by_connector (connector_key=? AND started_at>? AND started_at<?)",
        ),
        (statements.GET_CHARGE_POINTS, "sqlite_autoindex_charge_points_1 (identity=?)"),
        (statements.LIST_REPORTS, "PRIMARY KEY (charge_point_key=?)"),
        (statements.LIST_CONFIGURATION_PAGE, "PRIMARY KEY (charge_point_key=? AND key>?)"),
        (statements.LIST_ID_TAGS, "PRIMARY KEY (id_tag>?)"),
        (statements.LIST_UNKNOWN_ID_TAGS, "unknown_id_tags_by_time (last_at<?)"),
        (statements.LIST_CHARGING_PROFILES, "PRIMARY KEY (name>?)"),
        (statements.LIST_DEPARTURES, "departures_by_firmware (vendor>?)"),
        (statements.LIST_DEPARTURES_OF_CHARGE_POINT, "sqlite_autoindex_departures_1 (charge_point_key=? AND vendor>?)"),
        (statements.LIST_UNMATCHED, "unmatched_listed (id<?)"),
        (statements.LIST_RESERVATIONS, "INTEGER PRIMARY KEY (rowid<?)"),
        (statements.LIST_RESERVATIONS_OF_CHARGE_POINT, "reservations_by_charge_point (charge_point_key=? AND id<?)"),
        (
            statements.LIST_RESERVATIONS_OF_CHARGE_POINT_BY_STATUS,
            "reservations_by_charge_point (charge_point_key=? AND id<?)",
        ),
        (statements.LIST_RESERVATIONS_BY_STATUS, "reservations_by_status (status=? AND id<?)"),
        (statements.LIST_RESERVATIONS_HELD_AT, "reservations_by_end (charge_point_key=? AND expiry_date>?)"),
        (statements.SUM_ENDED_TRANSACTIONS, "COVERING INDEX transactions_by_stop (stopped_at>? AND stopped_at<?)"),
        (statements.LIST_LATELY_RECOVERED, "transactions_recovered_by_end (stop_received_at>?)"),
        (statements.LIST_LATELY_IMPLAUSIBLE, "transactions_implausible_by_end (stop_received_at>?)"),
        (statements.LIST_UNSTORED_CARDS, "unknown_id_tags_by_time (last_at>?)"),
        (statements.LIST_PRESENCE, "INTEGER PRIMARY KEY (rowid=?)"),
        (statements.LIST_OPEN_OF, "INTEGER PRIMARY KEY (rowid=?)"),
        (statements.LIST_UPLOADS, "INTEGER PRIMARY KEY (rowid<?)"),
        (statements.LIST_UPLOADS_OF_CHARGE_POINT, "uploads_by_charge_point (charge_point_key=? AND id<?)"),
    ],
)
def test_plan(sql: str, index: str) -> None:
    steps = plan(sql)

    assert any(step.endswith(index) for step in steps), steps
    assert not [step for step in steps if step.startswith("SCAN") and "json_each" not in step]
    assert not [step for step in steps if "TEMP B-TREE" in step and step != SAME_MOMENT]


def test_new_departures_are_found_by_their_time_and_then_grouped() -> None:
    assert plan(statements.LIST_NEW_DEPARTURES) == [
        "SEARCH departures USING COVERING INDEX departures_by_first (first_at>?)",
        "USE TEMP B-TREE FOR GROUP BY",
    ]


def plan(sql: str) -> list[str]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(connection)
        numbers = {int(number) for number in re.findall(r"\?(\d+)", sql)}
        parameters = [1] * (max(numbers) if numbers else sql.count("?"))
        return [step for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]
    finally:
        connection.close()
