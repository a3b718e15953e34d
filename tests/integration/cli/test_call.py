"""`mcpp call`: what goes to the API, what comes back, and the exit code."""

from __future__ import annotations

import json
import os
import pty
import subprocess

import pytest
from pydantic import JsonValue

from tests.integration.cli.api import Api
from tests.integration.cli.command import COMMAND, Ended, Mcpp, clean_environment


def test_the_payload_goes_out_as_given_and_the_answer_is_printed(mcpp: Mcpp, api: Api) -> None:
    api.answers_response({"status": "Accepted"})

    ended = mcpp("call", "CP-1", "Reset", '{ "type":"Soft" }', "--api-url", api.url, "--api-token", "t0ken")

    assert ended == Ended(0, '{"status":"Accepted"}\n', "")
    (request,) = api.requests
    assert request == (
        "POST",
        "/api/v1/charge-points/CP-1/commands/Reset",
        "Bearer t0ken",
        "application/json",
        '{ "type":"Soft" }',
    )


def test_url_and_token_by_variable_and_no_payload(mcpp: Mcpp, api: Api) -> None:
    api.answers_response({"status": "Rejected"})

    ended = mcpp("call", "CP-1", "ClearCache", MCPP_API_URL=api.url, MCPP_API_TOKEN="t0ken")

    assert ended == Ended(0, '{"status":"Rejected"}\n', "")
    assert (api.requests[0].authorization, api.requests[0].body) == ("Bearer t0ken", "{}")


def test_without_a_token_no_authorization_is_sent(mcpp: Mcpp, api: Api) -> None:
    api.answers_response({})

    assert mcpp("call", "CP-1", "ClearCache", MCPP_API_URL=api.url).code == 0
    assert api.requests[0].authorization is None


def test_payload_from_standard_input(mcpp: Mcpp, api: Api) -> None:
    api.answers_response({"status": "Accepted"})

    ended = mcpp("call", "CP-1", "DataTransfer", "-", "--api-url", api.url, stdin='{"vendorId": "Süd",\n"data": "x"}')

    assert ended.code == 0
    assert api.requests[0].body == '{"vendorId": "Süd",\n"data": "x"}'


@pytest.mark.parametrize(
    ("identity", "segment"),
    [
        ("Süd 1", "S%C3%BCd%201"),
        ("A/B", "A%2FB"),
        ("50%?#&", "50%25%3F%23%26"),
        ("..", "%2E%2E"),
        ("a.b", "a.b"),
        ("CP:1*01", "CP%3A1%2A01"),
    ],
)
def test_an_identity_stays_one_segment_of_the_path(mcpp: Mcpp, api: Api, identity: str, segment: str) -> None:
    api.answers_response({})

    assert mcpp("call", identity, "ClearCache", "--api-url", api.url).code == 0
    assert api.requests[0].target == f"/api/v1/charge-points/{segment}/commands/ClearCache"


def test_on_a_terminal_the_answer_is_laid_out_and_sends_no_control_characters(mcpp: Mcpp, api: Api) -> None:
    api.answers_response({"status": "Accepted", "data": "\x1b[31m\u009b31m\u202eü"})
    terminal, other_end = pty.openpty()

    run = subprocess.run(
        [*COMMAND, "call", "CP-1", "DataTransfer", "--api-url", api.url],
        env=clean_environment(),
        stdout=other_end,
        timeout=60,
        check=False,
    )
    os.close(other_end)
    shown = os.read(terminal, 1000).decode().replace("\r\n", "\n")
    os.close(terminal)

    assert run.returncode == 0
    assert shown == '{\n  "status": "Accepted",\n  "data": "\\u001b[31m\\u009b31m\\u202eü"\n}\n'


def test_in_a_pipe_the_answer_is_utf_8_whatever_the_locale(mcpp: Mcpp, api: Api) -> None:
    api.answers_response({"data": "ü\ud800"})

    ended = mcpp("call", "CP-1", "DataTransfer", "--api-url", api.url, PYTHONIOENCODING="ascii")

    assert ended == Ended(0, '{"data":"ü\\ud800"}\n', "")
    assert json.loads(ended.out) == {"data": "ü\ud800"}


@pytest.mark.parametrize(
    ("status", "code", "detail", "members", "shown"),
    [
        (404, "not_found", "there is no charge point 'CP-1'", {}, []),
        (409, "not_connected", "CP-1 is not connected", {}, []),
        (429, "queue_full", "32 commands wait", {}, []),
        (422, "invalid_payload", "type: Field required", {"errors": [{"location": "type", "message": "x"}]}, []),
        (
            502,
            "call_error",
            "the charge point refused",
            {"error_code": "NotSupported", "error_description": "no\nway", "error_details": {"a": 1}},
            ['error_code: NotSupported, error_description: no\\u000away, error_details: {"a": 1}'],
        ),
        (
            502,
            "call_error",
            "the charge point refused",
            {"error_code": "GenericError", "error_description": ""},
            ["error_code: GenericError"],
        ),
        (503, "connection_lost", "the connection ended before an answer", {}, []),
        (504, "timeout", "no answer within 30 s", {}, []),
        (401, "unauthorized", "a token is needed", {}, ["give the server's token with --api-token or MCPP_API_TOKEN"]),
    ],
)
def test_a_problem_is_told_in_a_line_or_two(
    mcpp: Mcpp, api: Api, status: int, code: str, detail: str, members: dict[str, JsonValue], shown: list[str]
) -> None:
    api.answers_problem(status, code, detail, **members)

    ended = mcpp("call", "CP-1", "Reset", '{"type": "Soft"}', "--api-url", api.url)

    assert ended == Ended(1, "", "\n".join([f"{code}: {detail}", *shown, ""]))


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>"), (200, b"[]"), (502, b"bad gateway"), (301, b"")])
def test_a_server_that_is_not_mcpp(mcpp: Mcpp, api: Api, status: int, body: bytes) -> None:
    api.status, api.body = status, body

    ended = mcpp("call", "CP-1", "ClearCache", "--api-url", api.url)

    path = "/api/v1/charge-points/CP-1/commands/ClearCache"
    assert ended == Ended(1, "", f"HTTP {status} from {api.url}{path}: that is not MCPP's API; check --api-url\n")


def test_no_server(mcpp: Mcpp) -> None:
    ended = mcpp("call", "CP-1", "ClearCache", "--api-url", "http://127.0.0.1:1")

    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert ended.err.startswith("no answer from http://127.0.0.1:1: ")
    assert "mcpp serve" in ended.err


def test_a_proxy_is_not_asked_for_this_machine(mcpp: Mcpp, api: Api) -> None:
    api.answers_response({})

    ended = mcpp("call", "CP-1", "ClearCache", "--api-url", api.url, http_proxy="http://127.0.0.1:1", no_proxy="")

    assert ended.code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("CP-1", "reset"), "did you mean Reset?"),
        (("CP-1", "RemoteStart"), "did you mean RemoteStartTransaction?"),
        (("CP-1", "BootNotification"), "no operation that a central system sends"),
        (("CP-1", "Xyz"), "there are AFRRSignal, "),
        (("CP-1", "Reset", '{"type": "Soft",}'), "in line 1, column "),
        (("CP-1", "Reset", '{"type":\n Soft}'), "Expecting value in line 2, column 2, at Soft}"),
        (("CP-1", "Reset", '{"type": "Soft"'), "where it ends"),
        (("CP-1", "Reset", '{"type": NaN}'), "NaN is no JSON number"),
        (("CP-1", "Reset", '["Soft"]'), "not a JSON object"),
        (("CP-1", "Reset", ""), "the payload is not JSON"),
        (("CP-1", "Reset", "[" * 100_000), "the payload is not JSON"),
        (("", "ClearCache"), "CHARGE_POINT is empty"),
        (("CP-1",), "Missing argument 'ACTION'"),
        (("CP-1", "ClearCache", "--api-url", "localhost:8080"), "--api-url: 'localhost:8080' is no URL of a server"),
        (("CP-1", "ClearCache", "--api-url", "http://a:b"), "--api-url: 'http://a:b' is no URL of a server"),
        (("CP-1", "ClearCache", "--api-token", "s3cret\n"), "--api-token: must be visible ASCII"),
    ],
)
def test_wrong_use_is_one_line_and_the_exit_code_2(mcpp: Mcpp, api: Api, arguments: tuple[str, ...], told: str) -> None:
    ended = mcpp("call", *arguments, MCPP_API_URL=api.url)

    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert told in ended.err
    assert "s3cret" not in ended.err
    assert api.requests == []


def test_standard_input_that_is_no_text(mcpp: Mcpp, api: Api) -> None:
    ended = mcpp("call", "CP-1", "ClearCache", "-", "--api-url", api.url, stdin=b'{"a": "\xff"}')

    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "not UTF-8" in ended.err
