"""Storage, the core above it, and the plugins: built in this order, taken down in reverse."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from mcpp import __version__
from mcpp.api.credentials import CredentialStore
from mcpp.api.event_stream import EventStream
from mcpp.api.installation_models import Plugin, PluginError
from mcpp.certificates.contracts import ContractChecks
from mcpp.certificates.desk import SigningDesk
from mcpp.certificates.revoked import Revoked
from mcpp.certificates.store import AuthorityStore
from mcpp.clock import Clock
from mcpp.csms.buttons import Button
from mcpp.csms.commands import Commands
from mcpp.csms.conformance import ConformanceRecorder
from mcpp.csms.frames import FrameBook
from mcpp.csms.operations import OperationsByVersion
from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.csms.refused import RefusedConnections
from mcpp.csms.services import Services
from mcpp.csms.version import ByVersion, SpokenVersion
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.memory import Memory
from mcpp.domain.people import note_default_price
from mcpp.domain.remote_starts import PreparedStart, prepare_start
from mcpp.domain.security_profiles import ProfilePolicy, SecurityProfile
from mcpp.errors import StartError
from mcpp.plugins.builtin.auto_start import AutoStart
from mcpp.plugins.loading import Plugin as LoadedPlugin
from mcpp.plugins.loading import load_plugins
from mcpp.plugins.local_site import SiteServices
from mcpp.plugins.manager import Plugins, PluginState
from mcpp.reads.attention import Attention
from mcpp.reads.attention_search import AttentionSources
from mcpp.reads.booked import BookedEnergy
from mcpp.reads.charge_points import ChargePoints
from mcpp.reads.stored_fleet import read_fleet
from mcpp.reads.summary import read_summary
from mcpp.server.attention import attention_sources
from mcpp.server.certificates import CertificateKeeper
from mcpp.server.chores import (
    CardKeeper,
    ConformanceKeeper,
    CredentialKeeper,
    MemoryKeeper,
    RecoveryKeeper,
    ReservationKeeper,
    RetentionKeeper,
    StampKeeper,
)
from mcpp.server.connect import ConnectGuide
from mcpp.server.events import Events
from mcpp.server.finished_commands import FinishedCommands
from mcpp.server.inventory import InventoryKeeper
from mcpp.server.password_offers import PasswordOffers
from mcpp.server.passwords import Passwords
from mcpp.server.presence import Presence
from mcpp.server.telemetry import TelemetryParts
from mcpp.server.timekeeping import ClockKeeper, begin_after
from mcpp.server.tls import ListenersTls
from mcpp.server.versions import BUTTONS, EVSE_VERSIONS, VERSIONS, ask_transactions, spoken_versions
from mcpp.settings import AuthorizationMode, ConcurrentTx, Registration, Settings, is_loopback
from mcpp.storage.engine import DatabaseUnusable
from mcpp.storage.sqlite.checkpoints import Checkpoints
from mcpp.storage.sqlite.copies import SqliteCopies
from mcpp.storage.sqlite.database import errors_explained
from mcpp.storage.sqlite.readers import SqliteReaderPool
from mcpp.storage.sqlite.service import open_for_service
from mcpp.storage.sqlite.snapshots import snapshot
from mcpp.storage.writer import Writer
from mcpp.telemetry.database import DatabaseTelemetry
from mcpp.telemetry.logs.pipeline import get_logger
from mcpp.telemetry.plugins import PluginCounts, PluginTelemetry
from mcpp.transport.addresses import counted_as
from mcpp.transport.registry import Registry
from mcpp_generated.db.queries import Queries
from mcpp_generated.db.sqlite.queries import SqliteQueries

_TOLERATED_HANDSHAKES: Final[Mapping[str, str]] = {ConnectionOutcome.ACCEPTED_WITHOUT_SUBPROTOCOL: "no_subprotocol"}
"""By outcome, the rule in the conformance record."""


class StorageParts(NamedTuple):
    """The database."""

    writer: Writer[Queries]
    readers: SqliteReaderPool
    copies: SqliteCopies
    snapshot: Callable[[], AbstractContextManager[Queries]]
    """One state of the database, for a thread."""
    memory: Memory
    """The writer's."""
    revoked: Revoked
    """Certificates that count no more."""
    certificates_under_way: Sequence[str]
    """The charge points that had something to get of the certificate authority when the server ended."""


async def open_storage(settings: Settings, telemetry: TelemetryParts, running: AsyncExitStack) -> StorageParts:
    try:
        # On a thread: a check for damage may take seconds.
        opened = await asyncio.to_thread(open_for_service, settings.database, settings.durability)
    except DatabaseUnusable as error:
        raise StartError(str(error), passes=error.passes) from error
    connection, migrated, notices = opened
    get_logger().info("server_starting", category="system", version=__version__)
    for event, facts, is_warning in notices:
        get_logger().log(logging.WARNING if is_warning else logging.INFO, event, category="system", **facts)
    try:
        queries = SqliteQueries(connection)
        with errors_explained(settings.database):
            last_run = queries.find_newest_run()
            open_transactions = queries.count_open_transactions()
            sessions = queries.list_sessions()
            fleet = read_fleet(queries)
            revoked = Revoked(filter(None, queries.list_revoked_serials()))
            under_way = [*queries.list_charge_points_to_serve(), *queries.list_roll_outs()]
    except DatabaseUnusable as error:
        connection.close()
        raise StartError(str(error), passes=error.passes) from error
    if migrated.from_version != migrated.to_version:
        get_logger().info("database_migrated", category="system", **migrated._asdict())
    begin_after(telemetry.clock, None if last_run is None else last_run.newest_at)
    telemetry.metrics.transactions_active.set(open_transactions)
    telemetry.sessions.load(sessions, telemetry.clock.now())
    telemetry.live.load(fleet)
    telemetry.fleet.load(fleet)
    memory = Memory()
    writer = Writer(connection, queries, DatabaseTelemetry(telemetry.metrics), memory)
    running.push_async_callback(writer.close)
    telemetry.metrics.watch_writer(lambda: writer.waiting)
    try:
        readers = await SqliteReaderPool.open(settings.database)
    except DatabaseUnusable as error:
        raise StartError(str(error), passes=error.passes) from error
    running.push_async_callback(readers.close)
    checkpoints = Checkpoints(settings.database, connection, settings.durability)
    checkpoints.start()
    running.callback(checkpoints.stop)
    return StorageParts(
        writer,
        readers,
        SqliteCopies(settings.database),
        partial(snapshot, settings.database),
        memory,
        revoked,
        under_way,
    )


class CoreParts(NamedTuple):
    """What stands between the listeners and the storage."""

    services: Services
    versions: Sequence[SpokenVersion]
    passwords: Passwords
    presence: Presence
    registry: Registry
    charge_points: ChargePoints
    conformance: ConformanceRecorder
    refused: RefusedConnections
    frames: FrameBook
    connect_guide: ConnectGuide
    certificates: SigningDesk
    events: Events
    event_stream: EventStream
    booked: BookedEnergy
    attention: AttentionSources
    """What may need a person, beside what the database knows."""
    credentials: CredentialStore


async def build_core(
    settings: Settings,
    telemetry: TelemetryParts,
    storage: StorageParts,
    running: AsyncExitStack,
    tls: ListenersTls | None = None,
) -> CoreParts:
    writer, clock = storage.writer, telemetry.clock
    events = Events()
    booked = BookedEnergy()
    events.subscribe(*telemetry.subscribers(), booked)
    passwords = Passwords()
    running.callback(passwords.close)
    policy = AuthorizationPolicy(
        known_only=settings.authorization is AuthorizationMode.KNOWN,
        deny_concurrent=settings.concurrent_tx is ConcurrentTx.DENY,
        auto_start_id_tag=settings.auto_start_id_tag,
        auto_start=settings.auto_start,
        id_tag_separator=settings.id_tag_separator,
    )
    services = Services(
        writer,
        events.publish,
        events.wanted,
        policy,
        settings.heartbeat_interval,
        memory=storage.memory,
        now=clock.now,
        offer_password=PasswordOffers(writer, passwords),
        contracts=ContractChecks(settings.contract_roots, settings.ocsp_responders or (), clock.now),
    )
    register_unknown = settings.registration is Registration.OPEN
    profiles = ProfilePolicy(
        SecurityProfile(settings.security_profile), settings.tls_organization, storage.revoked.is_revoked
    )
    presence = Presence(
        writer,
        events.publish,
        register_unknown=register_unknown,
        passwords=passwords,
        now=clock.now,
        policy=profiles,
        unknown_per_hour=settings.unknown_identities_per_hour,
    )
    events.subscribe(services.departures)
    conformance = ConformanceRecorder(services.departures, VERSIONS, _TOLERATED_HANDSHAKES, clock.now)
    guide = ConnectGuide(settings, None if tls is None else tls.ocpp)
    refused = RefusedConnections(guide.url, lambda event: events.publish((event,)), clock.now, network_of=counted_as)
    registry = Registry(
        on_connected=presence.connected,
        on_disconnected=presence.disconnected,
        on_replaced=presence.replaced,
        command_finished=FinishedCommands(events.publish, conformance.answer_not_understood, clock.now),
    )
    desk = SigningDesk(
        AuthorityStore(settings.ca_directory),
        writer,
        events.publish,
        live=registry,
        operations=ByVersion(VERSIONS, lambda version: version.certificate_operations(registry)),
        revoked=storage.revoked,
        end_connection=registry.certificate_revoked,
        url=guide.url,
        organization=settings.tls_organization,
        lifetime=timedelta(days=settings.certificate_lifetime),
        renewal=timedelta(days=settings.certificate_renewal),
        now=clock.now,
    )
    desk.load(storage.certificates_under_way)
    running.push_async_callback(desk.close)
    prices = settings.price_per_kwh, settings.currency
    await writer.submit_keeping(note_default_price, clock.now(), *prices)
    services.read_signing_request = desk.read_signing_request
    events.subscribe(desk)
    credentials = CredentialStore(
        settings.effective_api_token(),
        storage.readers,
        writer,
        clock.now,
        is_public=not is_loopback(settings.http_host),
    )
    await credentials.load()
    settings.check_public(has_named_token=credentials.known.has_named)
    versions = [SpokenVersion(version, services) for version in spoken_versions(settings.ocpp_versions)]
    inventories = InventoryKeeper(
        writer,
        registry,
        Commands(registry, versions),
        {name: buttons[Button.READ_CONFIGURATION] for name, buttons in BUTTONS.items() if name in EVSE_VERSIONS},
        timedelta(seconds=settings.base_report_delay),
        clock.now,
    )
    if settings.base_report:
        events.subscribe(inventories)
    grace = timedelta(seconds=settings.recovery_grace)
    keeps_days = settings.meter_values_retention
    for chore in (
        *([] if keeps_days is None else [RetentionKeeper(writer, timedelta(days=keeps_days), clock.now)]),
        ClockKeeper(clock, writer),
        StampKeeper(writer, services.stamps),
        MemoryKeeper(writer),
        ConformanceKeeper(writer, services.departures),
        CardKeeper(writer, services.cards, clock.now),
        CredentialKeeper(credentials),
        ReservationKeeper(writer, events.publish, clock.now),
        RecoveryKeeper(
            writer,
            events.publish,
            partial(_connected_since, registry, clock),
            grace,
            clock.now,
            lambda: clock.jumps,
            ask_transactions(registry),
        ),
        CertificateKeeper(desk, writer, clock.now),
        *([inventories] if settings.base_report else []),
    ):
        telemetry.metrics.chore_failures.labels(chore.name)
        chore.start(lambda name: telemetry.metrics.chore_failures.labels(name).inc())
        running.push_async_callback(chore.stop)
    return CoreParts(
        services=services,
        versions=versions,
        passwords=passwords,
        presence=presence,
        registry=registry,
        charge_points=ChargePoints(storage.readers, registry, services.stamps, telemetry.live),
        conformance=conformance,
        refused=refused,
        frames=FrameBook(),
        connect_guide=guide,
        certificates=desk,
        events=events,
        event_stream=EventStream(events),
        booked=booked,
        attention=attention_sources(settings.database, clock, presence, desk, tls, refused.newest_first),
        credentials=credentials,
    )


def _connected_since(registry: Registry, clock: Clock) -> dict[int, datetime]:
    """The charge points that are connected, by their keys; since when as the clock tells times now."""
    return {point.peer.key: clock.at(point.connected_since) for point in registry}


def enabled_plugins(settings: Settings) -> list[LoadedPlugin]:
    """The plugins to run, made and checked, but not yet at work. Raises StartError for one that can't be loaded."""
    auto_start = partial(AutoStart, by_default=settings.auto_start, id_tag=settings.auto_start_id_tag)
    return load_plugins(settings.plugins, os.environ, {"auto_start": auto_start})


class PluginParts(NamedTuple):
    """The plugins at work."""

    plugins: Plugins
    observer: PluginTelemetry

    def start(self) -> None:
        """Have them know that the server has started."""
        self.plugins.start()

    def shown(self) -> list[Plugin]:
        """How they are at this moment."""
        return [_shown(state, self.observer.counts(state.name)) for state in self.plugins.states()]


def _shown(state: PluginState, counts: PluginCounts) -> Plugin:
    failure = counts.last_failure
    return Plugin(
        name=state.name,
        built_in=state.is_built_in,
        state="blocked" if state.is_blocked else "running" if state.is_running else "starting",
        hooks=list(state.hooks),
        waiting=state.waiting,
        calls=counts.calls,
        failures=counts.failures,
        dropped=counts.dropped,
        last_error=None if failure is None else PluginError(hook=failure.hook, text=failure.error, at=failure.at),
    )


def build_plugins(
    wanted: Sequence[LoadedPlugin],
    telemetry: TelemetryParts,
    storage: StorageParts,
    core: CoreParts,
    running: AsyncExitStack,
) -> PluginParts:
    """Built before the listeners, so that they end after the last event."""
    registry = core.registry

    async def prepare(id_tag: str) -> PreparedStart:
        return await storage.writer.submit_keeping(prepare_start, id_tag, core.services.policy)

    by_version = ByVersion(VERSIONS, lambda version: version.operations(registry, core.charge_points, prepare))

    async def attention() -> Sequence[Attention]:
        asked = storage.readers, registry, telemetry.live, core.booked, core.attention
        return (await read_summary(*asked, None, core.services.now())).attention

    services = SiteServices(
        charge_points=core.charge_points,
        commands=Commands(registry, core.versions),
        verbs=OperationsByVersion(registry, by_version),
        writer=storage.writer,
        publish=core.events.publish,
        now=core.services.now,
        attention=attention,
    )
    observer = telemetry.plugins()
    plugins = Plugins(wanted, services, observer)
    running.push_async_callback(plugins.stop)
    core.events.subscribe(plugins)
    telemetry.metrics.watch_plugins(plugins.waiting)
    if plugins.asks("authorize"):
        core.services.ask_authorize = plugins.authorize
    if plugins.asks("data_transfer_received"):
        core.services.ask_data_transfer = plugins.answer_data_transfer
    if plugins.asks("contract_certificate_wanted"):
        core.services.ask_contract_certificate = plugins.get_contract_certificate
    return PluginParts(plugins, observer)
