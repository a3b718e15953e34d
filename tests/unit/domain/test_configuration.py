"""Configuration keys are kept as last told, secrets without their value."""

from __future__ import annotations

import pytest

from mcpp.domain.configuration import KnownKey, note_change, note_keys, positive_number
from mcpp_generated.db.models import ConfigurationKey
from tests.unit.domain.books import Books, minute


def note(books: Books, *known: KnownKey, unknown: tuple[str, ...] = (), at: float = 0) -> None:
    note_keys(books.q, books.occasion(at=minute(at)), known, unknown)


def keys(books: Books, charger: str = "CP-1") -> dict[str, tuple[str | None, bool]]:
    rows = books.q.list_configuration_page(
        charge_point_key=books.occasion(charger).charge_point_key, after="", page_size=99
    )
    return {row.key: (row.value, row.readonly) for row in rows}


def test_the_last_word_counts_and_keys_have_no_case(books: Books) -> None:
    note(
        books, KnownKey("HeartbeatInterval", "300", readonly=False), KnownKey("NumberOfConnectors", "2", readonly=True)
    )
    note(books, KnownKey("heartbeatINTERVAL", "600", readonly=False), at=5)

    assert keys(books) == {"heartbeatINTERVAL": ("600", False), "NumberOfConnectors": ("2", True)}
    key = books.occasion().charge_point_key
    row = books.q.get_configuration_key(charge_point_key=key, key="HEARTBEATINTERVAL")
    assert row == ConfigurationKey(key, "heartbeatINTERVAL", "600", readonly=False, known_at=minute(5))
    assert keys(books, "CP-2") == {}


def test_a_change_keeps_the_charge_points_spelling(books: Books) -> None:
    note(books, KnownKey("HeartbeatInterval", "300", readonly=False))
    note_change(books.q, books.occasion(), "heartbeatinterval", "60")
    note_change(books.q, books.occasion(), "VendorKey", "x")

    assert keys(books) == {"HeartbeatInterval": ("60", False), "VendorKey": ("x", False)}


def test_an_unknown_key_is_forgotten(books: Books) -> None:
    note(books, KnownKey("A", "1", readonly=False), KnownKey("B", "2", readonly=False))
    note(books, unknown=("a", "never known"))

    assert keys(books) == {"B": ("2", False)}


def test_a_key_without_a_value_is_known_all_the_same(books: Books) -> None:
    note(books, KnownKey("ConnectorPhaseRotation", None, readonly=False))

    assert keys(books) == {"ConnectorPhaseRotation": (None, False)}


@pytest.mark.parametrize(
    "name",
    ["AuthorizationKey", "authorizationkey", "BasicAuthPassword", "WifiPSK", "wifi_pwd", "ApiToken", "HMAC-SecretKey"],
)
def test_a_secret_never_reaches_the_database(books: Books, name: str) -> None:
    note(books, KnownKey(name, "geheim", readonly=False))
    note_change(books.q, books.occasion(), name, "geheim")

    assert keys(books) == {name: (None, False)}
    assert "geheim" not in "\n".join(books.connection.iterdump())


def test_credentials_inside_of_a_url_do_not_either(books: Books) -> None:
    note(books, KnownKey("BackendURL", "wss://user:geheim@example.com/ocpp?token=geheim", readonly=False))

    assert keys(books) == {"BackendURL": ("wss://***@example.com/ocpp?token=***", False)}


@pytest.mark.parametrize(
    ("value", "number"),
    [("20", 20), (" 20 ", 20), ("0", None), ("-1", None), ("many", None), ("", None), (None, None), ("9" * 400, None)],
)
def test_a_limit(books: Books, value: str | None, number: int | None) -> None:
    note(books, KnownKey("SendLocalListMaxLength", value, readonly=True))

    assert positive_number(books.q, books.occasion().charge_point_key, "sendLocalListMaxLength") == number
    assert positive_number(books.q, books.occasion("CP-2").charge_point_key, "SendLocalListMaxLength") is None
