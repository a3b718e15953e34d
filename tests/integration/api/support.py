"""The HTTP side over real sockets and a real database file; only the chargers are a set of names."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
from pydantic import BaseModel

from mcpp.api.access import AccessRules
from mcpp.api.app import create_api
from mcpp.api.credentials import CredentialStore
from mcpp.api.event_stream import EventStream
from mcpp.api.http_server import HttpServer
from mcpp.api.services import ApiServices
from mcpp.clock import Clock
from mcpp.csms.commands import Commands
from mcpp.csms.frames import FrameBook
from mcpp.csms.live import Exchange
from mcpp.csms.refused import RefusedConnections
from mcpp.csms.services import Services
from mcpp.csms.version import SpokenVersion
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.evidence import Origin
from mcpp.domain.memory import Memory
from mcpp.domain.readings import store_in_transaction
from mcpp.domain.samples import ENERGY_REGISTER, Sample, SampleKind
from mcpp.domain.security_profiles import SecurityProfile
from mcpp.domain.stamps import StampBook
from mcpp.files.directory import MIB
from mcpp.files.store import FileStore
from mcpp.ocppj.actions import Action, AnyAction, Req, Res
from mcpp.ocppj.errors import NotConnected
from mcpp.reads.attention_search import AttentionSources
from mcpp.reads.booked import BookedEnergy
from mcpp.reads.charge_points import ChargePoints
from mcpp.reads.live import LiveReadings
from mcpp.server.attention import StateGuide
from mcpp.server.connect import ConnectGuide
from mcpp.server.events import Events
from mcpp.server.passwords import Passwords
from mcpp.server.stories import Stories
from mcpp.server.versions import BUTTONS, CHARGING_PROFILES, KEY_CHANGES, VERSIONS, local_list_sync, read_unmatched
from mcpp.settings import Settings
from mcpp.storage.readiness import check_writable
from mcpp.storage.sqlite.copies import SqliteCopies
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.sqlite.readers import SqliteReaderPool
from mcpp.storage.sqlite.snapshots import snapshot
from mcpp.storage.writer import Writer
from mcpp.telemetry.logs.control import LogControl
from mcpp.telemetry.logs.lines import LineWriter, LogLevel, render_json
from mcpp.telemetry.logs.sink import LogSink
from mcpp.telemetry.metrics.definitions import Metrics
from mcpp.telemetry.requests import RequestTelemetry
from mcpp.telemetry.tracing.spans import Spans
from mcpp_generated.db.enums import Implausible, StopMatch, StopOrigin
from mcpp_generated.db.queries import Queries
from mcpp_generated.db.sqlite.queries import SqliteQueries

START = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
ENERGY = SampleKind(ENERGY_REGISTER, "", "Wh", "Sample.Periodic", "Outlet", "Raw")

CHARGER_URL = "ws://192.0.2.1:9000/ocpp/"
LOCAL = AccessRules("127.0.0.1")


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


def text(moment: datetime) -> str:
    """A time as the API spells it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


class Connections:
    """Which charge points are connected. They never answer."""

    def __init__(self, *identities: str) -> None:
        self.identities = set(identities)
        self.versions: dict[str, str] = {}
        """Those that aren't 1.6."""
        self.asked = asyncio.Event()

    def connected(self, identity: str) -> bool:
        return identity in self.identities

    def profile_of(self, identity: str) -> SecurityProfile | None:
        return SecurityProfile.NONE if self.connected(identity) else None

    def version_of(self, identity: str) -> str | None:
        return self.versions.get(identity, "1.6") if identity in self.identities else None

    async def call(self, identity: str, action: Action[Req, Res], request: Req) -> Res:
        raise NotConnected(identity)

    async def send(self, identity: str, action: AnyAction, request: BaseModel, payload: bytes) -> Exchange[BaseModel]:
        if identity not in self.identities:
            raise NotConnected(identity)
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError("nothing ends this wait")


class Books:
    """Short ways to write into the database, through the generated queries."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.q = SqliteQueries(connection)
        self._connectors: dict[tuple[str, int], int] = {}

    def charge_point(self, identity: str, vendor: str | None = None) -> int:
        key = self.q.connect_charge_point(identity=identity, ocpp_version="1.6", connected_at=START).key
        if vendor is not None:
            self.q.boot_charge_point(
                key=key,
                booted_at=minute(1),
                vendor=vendor,
                model="Model 3",
                serial_number="SN-1",
                charge_box_serial_number=None,
                firmware_version="1.2.3",
                iccid=None,
                imsi=None,
                meter_type=None,
                meter_serial_number=None,
            )
        return key

    def connector(self, identity: str, connector_id: int) -> int:
        """The connector's key, made with its charge point where there is none."""
        known = self._connectors.get((identity, connector_id))
        if known is not None:
            return known
        key = self.charge_point(identity)
        connector = self.q.add_connector(charge_point_key=key, evse_id=0, connector_id=connector_id)
        self._connectors[identity, connector_id] = connector.key
        return connector.key

    def status(self, identity: str, connector_id: int, status: str, error_code: str, at: datetime) -> None:
        self.q.set_connector_status(
            key=self.connector(identity, connector_id),
            status=status,
            reported_status=None,
            error_code=error_code,
            info=None,
            vendor_id=None,
            vendor_error_code=None,
            status_at=at,
            status_received_at=at,
            session_correlation_id=None,
            status_changes=0,
        )

    def start(
        self,
        identity: str = "CP-1",
        connector_id: int = 1,
        id_tag: str = "TAG",
        at: datetime = START,
        meter_start: int = 1000,
    ) -> int:
        connector = self.connector(identity, connector_id)
        return self.q.add_transaction(
            charge_point_key=self.charge_point(identity),
            connector_key=connector,
            connector_id=connector_id,
            id_tag=id_tag,
            reservation_id=None,
            meter_start=meter_start,
            started_at=at,
            start_received_at=at,
            session_correlation_id="c" * 32,
        )

    def stop(
        self,
        transaction_id: int,
        meter_stop: int = 5200,
        at: datetime | None = None,
        origin: StopOrigin = StopOrigin.CHARGER,
        evidence: str | None = None,
    ) -> None:
        transaction = self.q.find_transaction(id=transaction_id)
        assert transaction is not None
        closed = self.q.close_transaction(
            id=transaction_id,
            meter_stop=meter_stop,
            stopped_at=at or transaction.started_at + timedelta(minutes=5),
            stop_received_at=minute(60),
            stop_id_tag=None,
            stop_reason="EVDisconnected",
            stop_origin=origin,
            stop_match=StopMatch.NAMED if origin is StopOrigin.CHARGER else None,
            evidence=evidence,
            energy_wh=max(meter_stop - transaction.meter_start, 0),
            implausible_reason=Implausible.NEGATIVE_ENERGY if meter_stop < transaction.meter_start else None,
        )
        assert closed == 1

    def ended(self, *, identity: str = "CP-1", connector_id: int = 1, id_tag: str = "TAG", at: datetime = START) -> int:
        """A whole transaction; gives its id."""
        transaction_id = self.start(identity, connector_id, id_tag, at)
        self.stop(transaction_id)
        return transaction_id

    def samples(self, transaction_id: int, samples: Iterable[tuple[datetime, SampleKind, str]]) -> None:
        """Store time, kind and value, as a message brings them."""
        sent = [Sample(at, kind, value, position) for position, (at, kind, value) in enumerate(samples)]
        store_in_transaction(
            self.q, transaction_id, sent, START, Origin.NAMED, lambda kind: self.q.add_sample_kind(**kind.as_dict())
        )


@dataclass
class Site:
    """A running HTTP side, its books and a client that speaks to it."""

    books: Books
    writer: Writer[Queries]
    connections: Connections
    stamps: StampBook
    events: Events
    metrics: Metrics
    files: FileStore
    services: ApiServices
    port: int
    http: httpx.AsyncClient

    async def get(self, path: str, **parameters: str | float) -> httpx.Response:
        return await self.http.get(path, params=parameters)

    async def items(self, path: str, **parameters: str | float) -> list[dict[str, object]]:
        """The items of a list's first page."""
        response = await self.get(path, **parameters)
        assert response.status_code == 200, response.text
        items: list[dict[str, object]] = response.json()["items"]
        return items

    async def transaction_ids(self, **parameters: str | float) -> list[object]:
        return [item["transaction_id"] for item in await self.items("/api/v1/transactions", **parameters)]

    async def charge_point_ids(self, **parameters: str | float) -> list[object]:
        return [item["id"] for item in await self.items("/api/v1/charge-points", **parameters)]


@asynccontextmanager
async def site(
    folder: Path,
    rules: AccessRules = LOCAL,
    *,
    api_token: str | None = None,
    with_files: bool = False,
    spans: Spans | None = None,
) -> AsyncIterator[Site]:
    """A server of its own on a free port, and its database in `folder`."""
    database = folder / "mcpp.db"
    connection = open_writer(database)
    migrate(connection)
    memory = Memory()
    writer = Writer(connection, SqliteQueries(connection), memory=memory)
    readers = await SqliteReaderPool.open(database)
    connections, stamps, events, passwords = Connections(), StampBook(), Events(), Passwords()
    clock, live, booked = Clock(), LiveReadings(), BookedEnergy()
    events.subscribe(live, booked)
    null = os.open(os.devnull, os.O_WRONLY)
    sink = LogSink(null)
    lines = LineWriter(sink, render_json, LogLevel.INFO)
    metrics = Metrics(version="0", actions=["Heartbeat"], error_codes=[], stop_reasons=[])
    core = Services(writer, events.publish, events.wanted, AuthorizationPolicy(), 300, memory, stamps)
    files = FileStore(
        folder / "files", writer, readers, events.publish, size_limit=2 * MIB, link_lifetime=timedelta(hours=72)
    )
    await files.open()
    files.base_url = "http://files.example"
    credentials = CredentialStore(api_token, readers, writer, clock.now)
    await credentials.load()
    services = ApiServices(
        readers=readers,
        writer=writer,
        publish=events.publish,
        events=EventStream(events, heartbeat=0.05),
        live=connections,
        disconnect=connections.identities.discard,
        commands=Commands(connections, [SpokenVersion(version, core) for version in VERSIONS]),
        charge_points=ChargePoints(readers, connections, stamps, live),
        live_readings=live,
        refused=RefusedConnections(lambda: CHARGER_URL, lambda event: events.publish((event,)), clock.now),
        frames=FrameBook(),
        connect_info=ConnectGuide(Settings(), None).info,
        sync_local_list=local_list_sync(writer, connections, clock.now),
        charging_profiles=CHARGING_PROFILES,
        buttons=BUTTONS,
        key_changes=KEY_CHANGES,
        server_state=StateGuide(database, clock, AttentionSources()).state,
        ocpp_versions=["1.6", "2.0.1", "2.1"],
        read_unmatched=read_unmatched,
        tell_story=Stories(partial(snapshot, database)).tell,
        check_profile=lambda _: None,
        hash_password=passwords.hash,
        check_readiness=partial(check_writable, writer),
        render_metrics=metrics.render,
        log=LogControl(lines),
        clock=clock,
        learning=core.learning,
        booked=booked,
        credentials=credentials,
        copies=SqliteCopies(database),
        files=files if with_files else None,
    )
    server = HttpServer(create_api(services, rules, RequestTelemetry(metrics, spans)), rules.http_host, 0)
    port = await server.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False) as http:
            yield Site(Books(connection), writer, connections, stamps, events, metrics, files, services, port, http)
    finally:
        services.stop()
        await server.stop()
        passwords.close()
        await writer.close()
        await readers.close()
        sink.close()
        os.close(null)
