"""What libraries and the system say is German on German pages: each kind is provoked, by the part that says it."""

from __future__ import annotations

import errno
import json
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from html import unescape
from pathlib import Path
from typing import Final

import httpx
import pytest
from pydantic import BaseModel, ValidationError

from mcpp.api.bodies import Body
from mcpp.api.installation_models import Plugin, PluginError
from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.ocpp16.version import OCPP16
from mcpp.ocppj.actions import decode
from mcpp.phrases import Phrase, translated
from mcpp.phrases.mistakes import mistake_text
from mcpp.plugins.worker import HookTimeout
from mcpp.telemetry.plugins import PluginTelemetry
from mcpp.transport.tls_reasons import failure_reason
from mcpp.transport.websocket import WebSocketProtocol
from mcpp.web.problems import FIELDS
from mcpp.web.rendering import translations
from mcpp_generated.db.enums import CertificateState, MessageRole, ReportKind
from mcpp_generated.db.models import AddDeparturesParams
from tests.authority import Authority
from tests.integration.api.support import START, Site, minute, site
from tests.integration.web.english import english_in, is_english
from tests.integration.web.support import browser

GERMAN: Final = {"Accept-Language": "de"}

_in_german: Final = partial(translated, translate=translations("de").gettext)

HANDSHAKES: Final = {
    "plain HTTP": b"GET /ocpp/CP-1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a browser's form": b"POST /ocpp/CP-1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP/1.0": b"GET /ocpp/CP-1 HTTP/1.0\r\n\r\n",
    "no HTTP": b"hello\r\n\r\n",
    "SOAP": b"<soap:Envelope>\r\n",
    "no key": b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "a wrong key": b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ?\r\n\r\n",
    "too long a line": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n",
}

ERRORS: Final = (
    OSError(errno.ENOSPC, "No space left on device", "/var/lib/a"),
    PermissionError(errno.EACCES, "Permission denied"),
    FileNotFoundError(errno.ENOENT, "No such file or directory"),
    ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
    socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    TimeoutError("timed out"),
    ssl.SSLError("certificate verify failed"),
    HookTimeout(Phrase("took more than {seconds} s", seconds="60")),
    httpx.HTTPStatusError(
        "Client error '403 Forbidden'", request=httpx.Request("GET", "http://a"), response=httpx.Response(403)
    ),
    ValueError("there is no such place"),
)


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as running:
        yield running


def _refused_handshakes() -> Iterator[str]:
    for request in HANDSHAKES.values():
        ws = WebSocketProtocol((), 1000)
        ws.receive_data(request)
        for event in ws.events_received():
            ws.accept(event)  # type: ignore[arg-type]  # before a handshake is over there are requests only
        _, why = ws.ending()
        assert why, request
        yield why


def _refused_by_tls(folder: Path) -> Iterator[str]:
    """Handshakes without a socket, each with another reason to fail."""
    ours, theirs = Authority(folder), Authority(folder, "Other")
    plain, asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own = ours.server()
    for context in (plain, asking):
        context.load_cert_chain(own.certificate, own.key)
    asking.load_verify_locations(ours.file)
    asking.verify_mode = ssl.CERT_REQUIRED
    for server, client in (
        (plain, ssl.create_default_context()),
        (asking, ours.client_context(theirs.charger("CP-1"))),
        (asking, ours.client_context(ours.charger("CP-1", days=-1))),
        (asking, ours.client_context()),
    ):
        yield _tls_failure(server, client)


def _tls_failure(server: ssl.SSLContext, client: ssl.SSLContext) -> str:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        server.wrap_bio(to_server, to_client, server_side=True),
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
    )
    for _ in range(5):
        for end in reversed(ends):
            try:
                end.do_handshake()
                end.read(1)
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                if end is ends[0]:
                    return failure_reason(error)
    pytest.fail("the handshake didn't fail")


async def test_refusals_and_failures_of_plugins_are_german(api: Site, tmp_path: Path) -> None:
    reasons = [*_refused_handshakes(), *_refused_by_tls(tmp_path), "what nobody has foreseen"]
    for number, why in enumerate(reasons):
        outcome = ConnectionOutcome.BAD_REQUEST
        api.services.refused.note(outcome, identity="", remote=f"10.0.0.{number}", path="/ocpp", why=why)
    plugins = []
    for number, error in enumerate(ERRORS):
        observer = PluginTelemetry(api.metrics)
        observer.on_failure(f"p{number}", "job", error)
        failure = observer.counts(f"p{number}").last_failure
        assert failure is not None
        assert failure.error == f"{type(error).__name__}: {error}", "the API has it as it is"
        last = PluginError(hook="job", text=failure.error, at=failure.at)
        plugins.append(
            Plugin(
                name=f"p{number}", built_in=False, state="running", hooks=[], waiting=0, calls=1, failures=1, dropped=0,
                last_error=last,
            )
        )  # fmt: skip
    async with browser(api, replace(api.services, plugins=lambda: plugins)) as http:
        connect, settings, overview = [
            (await http.get(path, headers=GERMAN)).text for path in ("/connect", "/settings", "/")
        ]

    for page in (connect, settings, overview):
        assert english_in(page) == []
    assert connect.count("<dt>Warum</dt>") == len(reasons)
    assert "sie fragt über einfaches HTTP (http:// statt ws://, oder ein Browser)" in connect
    assert "ihr Zertifikat wird nicht angenommen: es ist abgelaufen" in connect
    assert "sie brach den TLS-Aufbau ab: sie vertraut dem Zertifikat dieses Servers nicht" in connect
    assert "sie zeigt kein eigenes Zertifikat vor, und hier ist eines nötig" in connect
    assert "„what nobody has foreseen“" in connect
    said = unescape(settings)
    assert "der Datenträger ist voll („OSError: [Errno 28] No space left on device: '/var/lib/a'“)" in said
    assert "die Gegenstelle antwortete mit HTTP 403 (" in said
    assert "im Wortlaut: „ValueError: there is no such place“" in said


async def test_what_a_charger_page_has_of_closed_sets_is_german(api: Site) -> None:
    key = api.books.charge_point("CP-1")
    for number, state in enumerate(CertificateState):
        is_revoked = state is CertificateState.REVOKED
        added = CertificateState.ISSUED if is_revoked else state
        made = api.books.q.add_certificate(
            charge_point_key=key, charge_point_id="CP-1", status=added, subject=f"CN={number}", key_type="EC P-256",
            csr="", request_id=None, requested_at=START, approved_by=None, decided_at=None, certificate="PEM",
            serial_number=f"A{number}", issued_at=START, expires_at=minute(10),
        )  # fmt: skip
        if is_revoked:
            api.books.q.revoke_certificate(revoked_at=START, reason=None, id=made)
    for kind in ReportKind:
        api.books.q.put_report(
            charge_point_key=key, kind=kind, status="Installed", request_id=None, reported_at=minute(1)
        )
    departure = AddDeparturesParams(
        charge_point_key=key, vendor="", model="", firmware_version="", action="Heartbeat", message=MessageRole.CALL,
        rule="missing_field", field="a", times=1, first_at=START, last_at=START, example="", taken_as="",
    )  # fmt: skip
    api.books.q.add_departures(
        [departure, departure._replace(rule="no_subprotocol"), departure._replace(rule="refused")]
    )
    async with browser(api) as http:
        pages = [
            (await http.get(f"/chargers/CP-1?unfold={fold}", headers=GERMAN)).text
            for fold in ("certificates", "conformance")
        ]

    assert [english_in(page) for page in pages] == [[], []]
    assert "wartet auf Genehmigung" in pages[0]
    assert "Signierte Firmware" in pages[0]
    assert "nicht verstanden, abgewiesen" in pages[1]


async def test_a_page_that_fails_says_so_in_german(api: Site) -> None:
    def fail() -> list[Plugin]:
        raise RuntimeError("the database is gone")

    async with browser(api, replace(api.services, plugins=fail), raises=False) as http:
        page, problem = await http.get("/settings", headers=GERMAN), await http.get("/api/v1/plugins", headers=GERMAN)
    assert (page.status_code, problem.status_code) == (500, 500)
    assert english_in(page.text) == []
    assert "Auf diesem Server ist etwas schiefgegangen" in page.text
    assert problem.json()["said"] == "auf dem Server ist ein Fehler aufgetreten; sein Log sagt, welcher"


BAD: Final[tuple[object, ...]] = (
    None, True, 1.5, -1, 2**70, "", " ", "x" * 20_000, "\a", "a/b", "2,5", "-1", "0.12345", "nonsense", [], {},
    {"a": 1}, ["x" * 300] * 200, [None], "2026-13-45", "2026-05-04T09:30:00", "2026-05-04T25:30:00Z", "api-token",
)  # fmt: skip
"""Values of which each breaks some constraint of some field."""


def _bodies(model: type[BaseModel] = Body) -> Iterator[type[BaseModel]]:
    for each in model.__subclasses__():
        yield each
        yield from _bodies(each)


def test_whatever_is_wrong_with_a_body_or_a_command_is_said_in_german() -> None:
    kinds = set()
    for model in [*_bodies(), *(action.request for action in OCPP16.actions.values())]:
        names = [field.alias or name for name, field in model.model_fields.items()]
        for given in [{"unknown": 1}, *({name: bad} for name in names for bad in BAD)]:
            try:
                decode(model, json.dumps(given).encode())
            except ValidationError as error:
                for details in error.errors():
                    said = _in_german(mistake_text(details))
                    assert said is not None
                    assert not said.startswith("wird nicht angenommen"), details
                    assert not is_english(said), said
                    kinds.add(details["type"])

    assert kinds >= {"missing", "extra_forbidden", "string_too_long", "string_too_short", "too_long", "enum", "price"}
    assert kinds >= {"greater_than_equal", "less_than_equal", "int_type", "date_from_datetime_parsing", "token_name"}


FORMS: Final[tuple[tuple[str, str, dict[str, object], str], ...]] = (
    ("PUT", "/api/v1/people/anna", {"name": "A" * 300}, "Name: darf höchstens 255 Zeichen lang sein"),
    ("PUT", "/api/v1/people/anna", {"name": "A", "cards": ["1", "\a"]}, "Karten: enthält Zeichen, die sich nicht dr"),
    ("PUT", "/api/v1/people/anna", {"name": "A", "price_per_kwh": "0,3"}, "Preis je kWh: „0,3“ ist kein Preis: nötig"),
    ("PUT", "/api/v1/people/anna", {}, "es gibt noch keine Person „anna“, und eine neue braucht einen Namen"),
    ("PUT", "/api/v1/people/anna", {"name": None}, "Name: eine Person braucht einen Namen"),
    ("PUT", "/api/v1/charge-points/%20A", {}, "Kennung: eine Kennung darf nicht mit einem Leerzeichen beginnen"),
    ("PUT", "/api/v1/charge-points/A", {"password": ""}, "Passwort: darf nicht leer sein"),
    (
        "POST",
        "/api/v1/tokens",
        {"name": " a ", "role": "viewer"},
        "Name: muss aus 1 bis 100 druckbaren Zeichen bestehen",
    ),
    ("POST", "/api/v1/tokens", {"name": "a", "role": "king"}, "Darf: muss eines von diesen sein: 'operator', 'viewer'"),
    ("POST", "/api/v1/transactions/1/correct", {"note": "a"}, "Energie in kWh: fehlt"),
    (
        "POST",
        "/api/v1/transactions/1/correct",
        {"energy_wh": -1, "note": ""},
        "Energie in kWh: muss mindestens 0 sein; W",
    ),
    ("POST", "/api/v1/unmatched/7/assign", {"transaction_id": 0}, "Ladevorgang: muss mindestens 1 sein"),
    ("POST", "/api/v1/certificates/9/renew", {}, "dieser Server hat keine Zertifizierungsstelle"),
    ("DELETE", "/api/v1/nothing", {}, "unter diesem Pfad gibt es nichts"),
    ("PATCH", "/api/v1/tokens", {}, "PATCH ist hier nicht möglich"),
    (
        "POST",
        "/api/v1/charge-points/CP-1/commands/Reset",
        {"type": "Softly"},
        "type: muss eines von diesen sein: 'Hard'",
    ),
    (
        "POST",
        "/api/v1/charge-points/CP-1/commands/ChangeConfiguration",
        {"key": "a", "value": "x" * 501},
        "Wert: darf höchstens 500 Zeichen lang sein",
    ),
)


async def test_what_a_form_is_answered_is_german_with_its_own_words_for_its_fields(api: Site) -> None:
    api.books.charge_point("CP-1")
    api.connections.identities.add("CP-1")
    async with browser(api) as http:
        for method, path, body, beginning in FORMS:
            answer = (await http.request(method, path, json=body, headers=GERMAN)).json()
            assert answer["said"].startswith(beginning), answer
            assert not is_english(answer["said"]), answer
            assert answer["detail"].isascii(), "the API keeps the library's words"


async def test_a_problem_calls_a_field_as_its_form_does(api: Site) -> None:
    api.books.ended()
    await api.http.put("/api/v1/people/anna", json={"name": "Anna"})
    labels: dict[str, set[str]] = {}
    async with browser(api) as http:
        for path in ("/people/anna", "/connect", "/settings", "/sessions/1", "/chargers/CP-1", "/login"):
            page = (await http.get(path)).text
            for identity, label in re.findall(r'<label for="([^"]+)">([^<]+)</label>', page):
                field = re.search(rf'<(?:input|select|textarea) id="{re.escape(identity)}" name="(\w+)"', page)
                if field is not None:
                    labels.setdefault(field[1], set()).add(unescape(label))
    called: dict[str, set[str]] = {}
    for place, label in FIELDS.items():
        called.setdefault(place.rpartition(".")[2], set()).add(label)

    shared = labels.keys() & called.keys()
    assert shared >= {"name", "note", "cards", "price_per_kwh", "energy_wh", "who", "password", "token", "role"}
    assert [name for name in shared if not called[name] <= labels[name]] == []
