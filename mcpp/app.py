"""The composition root: builds every part, wires them together, runs them until a signal and takes them down again."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple

from mcpp import __version__
from mcpp.api.access import AccessRules
from mcpp.api.app import create_api
from mcpp.api.event_stream import EventStream
from mcpp.api.http_server import HttpServer
from mcpp.api.services import ApiServices
from mcpp.commands import Commands
from mcpp.domain import charge_points
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.events import Event, Subscriber
from mcpp.errors import StartError
from mcpp.files.directory import MIB, StorageFailed
from mcpp.files.listener import create_files_app, reachable_url
from mcpp.files.store import FileStore
from mcpp.finished_commands import FinishedCommands
from mcpp.housekeeping import RecoveryKeeper, ReservationKeeper, StampKeeper
from mcpp.ocpp16.charging_profiles import check_charging_profile
from mcpp.ocpp16.context import Services
from mcpp.ocpp16.dialect import Ocpp16
from mcpp.ocpp16.errors import SPELLING
from mcpp.ocpp16.local_list_sync import LocalListSync
from mcpp.ocpp16.unmatched import read_content
from mcpp.ocpp16.verbs import Ocpp16Verbs
from mcpp.passwords import Passwords
from mcpp.plugins.builtin.auto_start import AutoStart
from mcpp.plugins.loading import Plugin, load_plugins
from mcpp.plugins.local_site import SiteServices
from mcpp.plugins.manager import Plugins
from mcpp.presence import Presence
from mcpp.settings import AuthorizationMode, ConcurrentTx, Registration, Settings, is_loopback
from mcpp.storage.database import DatabaseUnusable, Readers, open_writer
from mcpp.storage.migrations import migrate
from mcpp.storage.readiness import check_writable
from mcpp.storage.writer import Writer
from mcpp.telemetry.business import BusinessTelemetry
from mcpp.telemetry.database import DatabaseTelemetry
from mcpp.telemetry.lines import LineWriter
from mcpp.telemetry.live_state import ChargePointState
from mcpp.telemetry.log_sink import LogSink
from mcpp.telemetry.logs import get_logger, logging_to, wants_colors
from mcpp.telemetry.loop_lag import LoopLag
from mcpp.telemetry.metrics import Metrics
from mcpp.telemetry.middleware import TelemetryMiddleware
from mcpp.telemetry.plugins import PluginTelemetry
from mcpp.transport.limits import Limits
from mcpp.transport.listener import OcppListener
from mcpp.transport.registry import Registry
from mcpp_generated.db import readers
from mcpp_generated.db.queries import Queries
from mcpp_generated.ocpp16.actions import ACTIONS
from mcpp_generated.ocpp16.models import Reason

_FILES = 65_536
"""File descriptors: one for each connection, and then some."""


@dataclass(slots=True)
class _Events:
    """Hands every event to every subscriber; one that fails harms neither the others nor the charger."""

    subscribers: list[Subscriber]

    def publish(self, events: Iterable[Event]) -> None:
        for event in events:
            for subscriber in self.subscribers:
                try:
                    subscriber(event)
                except Exception:  # noqa: BLE001  whatever a subscriber does, the others get the event
                    get_logger().exception("subscriber_failed", subscriber=repr(subscriber))


def serve(settings: Settings) -> int:
    """Run the central system until SIGTERM or SIGINT; gives the exit code. Raises StartError."""
    _allow_many_connections()
    sink = LogSink()
    colors = wants_colors(sys.stdout.fileno())
    with (
        logging_to(sink, level=settings.log_level, log_format=settings.log_format, colors=colors) as lines,
        asyncio.Runner(loop_factory=_loop_factory()) as runner,
    ):
        runner.run(_serve(settings, sink, lines))
    _leave_threads_behind()
    return 0


def _leave_threads_behind() -> None:
    """End the process even if a plugin has started threads that don't end; Python would wait for some of them."""
    if threading.active_count() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _allow_many_connections() -> None:
    """Use all file descriptors that the system grants: the usual soft limit of 1,024 is a fleet too small."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    """The faster loop, where it installs."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop


async def _serve(settings: Settings, sink: LogSink, lines: LineWriter) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    telemetry = _build_telemetry(settings, sink, lines)
    lag = LoopLag(telemetry.metrics.event_loop_lag.observe)
    wanted = enabled_plugins(settings)
    async with AsyncExitStack() as running:
        lag.start()
        running.callback(lag.stop)
        storage = await _open_storage(settings, telemetry, running)
        core = await _build_core(settings, telemetry, storage, running)
        plugins = _build_plugins(wanted, telemetry, storage, core, running)
        listeners = _Listeners()
        running.push_async_callback(listeners.stop)
        ocpp_port = await _open_ocpp(settings, telemetry, core, listeners)
        files = await _open_files(settings, storage, core, listeners)
        http_port = await _open_http(settings, telemetry, storage, core, files and files[0], listeners)
        _tune_garbage_collection()
        await _announce(settings, core, ocpp_port=ocpp_port, http_port=http_port, files_port=files and files[1])
        plugins.start()
        await stop.wait()
        get_logger().info("server_stopping", category="system")
    get_logger().info("server_stopped", category="system")


def _tune_garbage_collection() -> None:
    """Keep the collector off what lives for ever, and from walking the rest at every few messages.

    A message's objects have no cycles and go by reference count; with the defaults, 700 new objects set off a
    collection, which is a MeterValues or two.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


class _Telemetry(NamedTuple):
    """What explains the server."""

    lines: LineWriter
    metrics: Metrics


def _build_telemetry(settings: Settings, sink: LogSink, lines: LineWriter) -> _Telemetry:
    metrics = Metrics(
        version=__version__,
        actions=ACTIONS,
        error_codes=SPELLING.values(),
        stop_reasons=tuple(reason.value for reason in Reason),
    )
    metrics.watch_log(lambda: sink.dropped)
    metrics.watch_database(settings.database)
    return _Telemetry(lines, metrics)


class _Storage(NamedTuple):
    """The books."""

    writer: Writer[Queries]
    readers: Readers


async def _open_storage(settings: Settings, telemetry: _Telemetry, running: AsyncExitStack) -> _Storage:
    try:
        connection = open_writer(settings.database, settings.durability)
    except DatabaseUnusable as error:
        raise StartError(str(error)) from error
    try:
        migrated = migrate(connection)
        open_transactions = Queries(connection).count_open_transactions()
    except (DatabaseUnusable, sqlite3.Error) as error:
        connection.close()
        raise StartError(str(error)) from error
    if migrated.from_version != migrated.to_version:
        get_logger().info("database_migrated", category="system", **migrated._asdict())
    telemetry.metrics.transactions_active.set(open_transactions)
    writer = Writer(connection, Queries, DatabaseTelemetry(telemetry.metrics))
    running.push_async_callback(writer.close)
    try:
        readers = await Readers.open(settings.database)
    except DatabaseUnusable as error:
        raise StartError(str(error)) from error
    running.push_async_callback(readers.close)
    return _Storage(writer, readers)


class _Core(NamedTuple):
    """What stands between the listeners and the storage."""

    services: Services
    dialects: Sequence[Ocpp16]
    passwords: Passwords
    presence: Presence
    registry: Registry
    events: _Events
    event_stream: EventStream


async def _build_core(settings: Settings, telemetry: _Telemetry, storage: _Storage, running: AsyncExitStack) -> _Core:
    writer = storage.writer
    event_stream = EventStream()
    events = _Events([BusinessTelemetry(telemetry.lines, telemetry.metrics), event_stream])
    passwords = Passwords()
    running.callback(passwords.close)

    async def move_password(key: int, password: str) -> None:
        await writer.submit(charge_points.set_password_hash, key, await passwords.hash(password))

    policy = AuthorizationPolicy(
        known_only=settings.authorization is AuthorizationMode.KNOWN,
        deny_concurrent=settings.concurrent_tx is ConcurrentTx.DENY,
        auto_start_id_tag=settings.auto_start_id_tag,
        auto_start=settings.auto_start,
    )
    services = Services(writer, events.publish, policy, settings.heartbeat_interval, on_authorization_key=move_password)
    register_unknown = settings.registration is Registration.OPEN
    presence = Presence(writer, events.publish, register_unknown=register_unknown, passwords=passwords)
    registry = Registry(
        on_connected=presence.connected,
        on_disconnected=presence.disconnected,
        command_finished=FinishedCommands(events.publish),
    )
    grace = timedelta(seconds=settings.recovery_grace)
    for chore in (
        StampKeeper(writer, services.stamps),
        ReservationKeeper(writer, events.publish),
        RecoveryKeeper(writer, events.publish, partial(_connected_since, registry), grace),
    ):
        chore.start()
        running.push_async_callback(chore.stop)
    return _Core(services, [Ocpp16(services)], passwords, presence, registry, events, event_stream)


def _connected_since(registry: Registry) -> dict[int, datetime]:
    """The charge points that are connected, by their keys."""
    return {point.peer.key: datetime.fromtimestamp(point.connected_at, UTC) for point in registry}


def enabled_plugins(settings: Settings) -> list[Plugin]:
    """The plugins to run, made and checked, but not yet at work. Raises StartError for one that can't be loaded."""
    auto_start = partial(AutoStart, by_default=settings.auto_start, id_tag=settings.auto_start_id_tag)
    return load_plugins(settings.plugins, os.environ, {"auto_start": auto_start})


def _build_plugins(
    wanted: Sequence[Plugin], telemetry: _Telemetry, storage: _Storage, core: _Core, running: AsyncExitStack
) -> Plugins:
    """Built before the listeners, so that they end after the last event."""
    registry = core.registry
    services = SiteServices(
        live=registry,
        commands=Commands(registry, core.dialects),
        verbs=Ocpp16Verbs(registry, partial(_running_transaction, storage)),
        readers=storage.readers,
        writer=storage.writer,
        publish=core.events.publish,
    )
    plugins = Plugins(wanted, services, PluginTelemetry(telemetry.metrics))
    running.push_async_callback(plugins.stop)
    core.events.subscribers.append(plugins)
    if plugins.asks("authorize"):
        core.services.ask_authorize = plugins.authorize
    if plugins.asks("data_transfer_received"):
        core.services.ask_data_transfer = plugins.answer_data_transfer
    return plugins


async def _running_transaction(storage: _Storage, charge_point_id: str, connector_id: int) -> int | None:
    """The id of the transaction that runs on a connector."""
    async with storage.readers.connection() as connection:
        keys = [row.id for row in await readers.get_charge_points(connection, identities=[charge_point_id])]
        connectors = await readers.list_connectors(connection, charge_point_ids=keys)
    return next((c.transaction_id for c in connectors if c.connector_id == connector_id), None)


class _Listeners:
    """What listens: stopped at the same time, since each may take its time."""

    def __init__(self) -> None:
        self._stops: list[Callable[[], Awaitable[None]]] = []

    def add(self, stop: Callable[[], Awaitable[None]]) -> None:
        self._stops.append(stop)

    async def stop(self) -> None:
        await asyncio.gather(*(stop() for stop in self._stops))


async def _open_ocpp(settings: Settings, telemetry: _Telemetry, core: _Core, listeners: _Listeners) -> int:
    """Listen for chargers; gives the port."""
    registry, metrics = core.registry, telemetry.metrics
    metrics.watch_call_queues(lambda: sum(charge_point.queued_calls for charge_point in registry))
    metrics.watch_charge_points(
        lambda: [ChargePointState(point.identity, point.connected_at) for point in registry],
        series_limit=settings.per_charger_metrics_limit if settings.per_charger_metrics else 0,
    )
    listener = OcppListener(
        settings.ocpp_host,
        settings.ocpp_port,
        settings.ocpp_path,
        dialects=core.dialects,
        admission=core.presence,
        middleware=TelemetryMiddleware(telemetry.lines, metrics, log_payloads=settings.log_payloads),
        registry=registry,
        limits=Limits(
            idle_timeout=settings.idle_timeout,
            call_timeout=settings.call_timeout,
            call_queue_limit=settings.call_queue_limit,
        ),
    )
    try:
        port = await listener.start()
    except OSError as error:
        raise _cannot_listen("ocpp", settings.ocpp_host, settings.ocpp_port, error) from error
    listeners.add(listener.stop)
    return port


async def _open_http(
    settings: Settings,
    telemetry: _Telemetry,
    storage: _Storage,
    core: _Core,
    files: FileStore | None,
    listeners: _Listeners,
) -> int:
    """Listen for people, scripts and scrapers; gives the port."""
    services = ApiServices(
        readers=storage.readers,
        writer=storage.writer,
        publish=core.services.publish,
        events=core.event_stream,
        live=core.registry,
        commands=Commands(core.registry, core.dialects),
        stamps=core.services.stamps,
        sync_local_list=LocalListSync(storage.writer, core.registry).sync,
        check_charging_profile=check_charging_profile,
        read_unmatched=read_content,
        hash_password=core.passwords.hash,
        check_readiness=partial(check_writable, storage.writer),
        render_metrics=telemetry.metrics.render,
        files=files,
    )
    rules = AccessRules(
        http_host=settings.http_host,
        allowed_hosts=settings.allowed_hosts,
        api_token=settings.api_token.get_secret_value() if settings.api_token else None,
        metrics_open=settings.metrics_open,
    )
    api = create_api(services, rules)
    http = HttpServer(api, settings.http_host, settings.http_port)
    try:
        port = await http.start()
    except OSError as error:
        raise _cannot_listen("http", settings.http_host, settings.http_port, error) from error

    async def stop() -> None:
        # Streams and waiting commands end before the listener waits for requests.
        services.stop()
        await http.stop()

    listeners.add(stop)
    return port


async def _open_files(
    settings: Settings, storage: _Storage, core: _Core, listeners: _Listeners
) -> tuple[FileStore, int] | None:
    """Listen for chargers that fetch firmware and bring diagnostics, where that is wanted; gives the port too."""
    if settings.files_port is None:
        return None
    size_limit = settings.files_limit * MIB
    store = FileStore(
        settings.files_directory,
        storage.writer,
        storage.readers,
        core.services.publish,
        size_limit=size_limit,
        link_lifetime=timedelta(hours=settings.files_link_lifetime),
    )
    try:
        await store.open()
    except StorageFailed as error:
        raise StartError(f"files-directory: {error}") from error
    host = settings.files_host or settings.ocpp_host
    app = create_files_app(store, size_limit=size_limit)
    files = HttpServer(app, host, settings.files_port, stop_timeout=1, connection_limit=512)
    try:
        port = await files.start()
    except OSError as error:
        raise _cannot_listen("files", host, settings.files_port, error) from error
    store.base_url = settings.files_url or reachable_url(host, port)
    listeners.add(files.stop)
    return store, port


def _cannot_listen(listener: str, host: str, port: int, error: OSError) -> StartError:
    # A name that can't be resolved has a negative number and its own text.
    reason = os.strerror(error.errno) if error.errno is not None and error.errno > 0 else error.strerror or error
    return StartError(
        f"{listener}-port: can't listen on {host} port {port} ({reason}); "
        f"stop what listens there or choose another --{listener}-host or --{listener}-port"
    )


async def _announce(settings: Settings, core: _Core, *, ocpp_port: int, http_port: int, files_port: int | None) -> None:
    log = get_logger()
    if not is_loopback(settings.ocpp_host) and not await core.presence.chargers_authenticated():
        log.warning("chargers_not_authenticated", category="system", ocpp_host=settings.ocpp_host)
    ports = {"ocpp_port": ocpp_port, "http_port": http_port}
    if files_port is not None:
        ports["files_port"] = files_port
    log.info("server_started", category="system", **ports)
    if sys.stdout.isatty():
        path = settings.ocpp_path.rstrip("/")
        host = socket.gethostname() if _is_unspecified(settings.ocpp_host) else settings.ocpp_host
        print(f"Type this URL into a charger: ws://{host}:{ocpp_port}{path}/", file=sys.stderr)  # noqa: T201


def _is_unspecified(host: str) -> bool:
    return host in {"0.0.0.0", "::"}  # noqa: S104  compared, not bound
