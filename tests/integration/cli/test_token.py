"""`mcpp token`: the way back to a server that nobody has a token for; the running server is asked in acceptance."""

from __future__ import annotations

import re

from mcpp.domain.tokens import hash_of
from tests.database import Database
from tests.integration.cli.command import Ended, Mcpp


def test_tokens_are_made_listed_and_revoked(mcpp: Mcpp, database: Database) -> None:
    first = mcpp("token", "add", "Phone", "--role", "viewer")
    assert first.code == 0
    assert re.fullmatch(r"mcpp_[\w-]{43}\n", first.out)
    assert "mcpp token add NAME --role operator" in first.err
    assert [row.hash for row in database.q.list_tokens()] == [hash_of(first.out.strip())]

    second = mcpp("token", "add", "Laptop", "--role", "operator")
    assert (second.code, second.err) == (0, "")
    again = mcpp("token", "add", "PHONE", "--role", "viewer")
    assert (again.code, again.out) == (2, "")
    assert "there is a token 'PHONE' already" in again.err

    listed = mcpp("token", "list").out.splitlines()
    assert [line.split()[:2] for line in listed[1:]] == [["Phone", "viewer"], ["Laptop", "operator"]]
    assert all(line.endswith("never") for line in listed[1:])

    left = mcpp("token", "revoke", "laptop")
    assert (left.code, left.out) == (0, "Laptop is revoked\n")
    assert "no operator token is left" in left.err
    none = mcpp("token", "revoke", "Phone")
    assert "no token is left" in none.err
    assert mcpp("token", "revoke", "Phone") == Ended(2, "", "there is no token 'Phone'\n")
    assert mcpp("token", "add", "a/b", "--role", "viewer").code == 2


def test_a_named_token_is_enough_where_others_reach_the_server(mcpp: Mcpp, database: Database) -> None:
    public = ("--http-host", "0.0.0.0", "--ocpp-host", "127.0.0.1", "--ocpp-port", "0", "--http-port", "0")
    for command in (("check-config",), ("serve", "--database", "other.db")):
        refused = mcpp(*command, *public)
        assert (refused.code, refused.err.count("\n")) == (2, 1)
        assert "api-token: is needed where http-host is 0.0.0.0" in refused.err

    mcpp("token", "add", "Laptop", "--role", "operator")
    assert mcpp("check-config", *public).code == 0
