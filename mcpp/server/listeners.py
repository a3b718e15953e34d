"""What listens: for chargers, for people, and for chargers' files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from websockets.datastructures import Headers

from mcpp.api.access import AccessRules
from mcpp.api.app import create_api
from mcpp.api.failed_logins import FailedLogins
from mcpp.api.http_server import HttpServer
from mcpp.api.installation_models import Setting
from mcpp.api.proxies import FindClient
from mcpp.api.services import ApiServices
from mcpp.clock import Clock
from mcpp.csms.commands import Commands
from mcpp.errors import StartError
from mcpp.files.directory import MIB, StorageFailed
from mcpp.files.listener import create_files_app
from mcpp.files.store import FileStore
from mcpp.server.attention import StateGuide
from mcpp.server.connect import base_urls
from mcpp.server.machine import machine_names
from mcpp.server.parts import CoreParts, PluginParts, StorageParts
from mcpp.server.stories import Stories
from mcpp.server.telemetry import TelemetryParts
from mcpp.server.tls import ListenersTls, secured
from mcpp.server.versions import BUTTONS, CHARGING_PROFILES, KEY_CHANGES, local_list_sync, read_unmatched
from mcpp.settings import Settings, shown_settings
from mcpp.storage.readiness import check_writable
from mcpp.telemetry.metrics.fleet_series import fleet_series
from mcpp.telemetry.requests import RequestTelemetry
from mcpp.transport.addresses import TrustedProxies, client_of, counted_as
from mcpp.transport.gate import Gate
from mcpp.transport.limits import Limits
from mcpp.transport.listener import OcppListener
from mcpp.transport.registry import Registry
from mcpp.transport.tls import ServerTls
from mcpp.web.app import add_pages


class Listeners:
    """What listens: stopped at the same time, since each may take its time."""

    def __init__(self) -> None:
        self._stops: list[Callable[[], Awaitable[None]]] = []

    def add(self, stop: Callable[[], Awaitable[None]]) -> None:
        self._stops.append(stop)

    async def stop(self) -> None:
        await asyncio.gather(*(stop() for stop in self._stops))


async def open_ocpp(
    settings: Settings,
    telemetry: TelemetryParts,
    core: CoreParts,
    listeners: Listeners,
    tls: ServerTls | None = None,
) -> int:
    """Listen for chargers. Returns the port."""
    registry, metrics = core.registry, telemetry.metrics
    metrics.watch_connections(lambda: len(registry))
    metrics.watch_call_queues(lambda: (point.queued_calls for point in registry))
    metrics.watch_incoming_calls(lambda: (point.waiting_calls for point in registry))
    connected_since = partial(_connected_since, registry, telemetry.clock)
    metrics.watch_fleet(lambda: fleet_series(telemetry.fleet, connected_since, telemetry.clock.now()))
    listener = OcppListener(
        settings.ocpp_host,
        settings.ocpp_port,
        settings.ocpp_path,
        dialects=core.versions,
        admission=core.presence,
        observer=telemetry.observer(settings, core.conformance, core.refused),
        registry=registry,
        limits=Limits(
            idle_timeout=settings.idle_timeout,
            call_timeout=settings.call_timeout,
            call_queue_limit=settings.call_queue_limit,
            max_message_size=settings.frame_limit,
            messages_per_second=settings.messages_per_second,
        ),
        tls=tls,
        gate=Gate(most=settings.max_connections, most_per_address=settings.max_connections_per_address),
        trusted_proxies=settings.trusted_proxies or (),
        path_strict=settings.ocpp_path_strict,
        compressed=settings.ocpp_compression,
        frames=core.frames,
    )
    metrics.watch_unhandled(lambda: listener.memory.total)
    try:
        port = await listener.start()
    except OSError as error:
        raise _cannot_listen("ocpp", settings.ocpp_host, settings.ocpp_port, error) from error
    core.connect_guide.port = port
    listeners.add(listener.stop)
    return port


def _connected_since(registry: Registry, clock: Clock, identity: str) -> float | None:
    """In Unix time; None for one that isn't connected."""
    point = registry.get(identity)
    return None if point is None else clock.unix(point.connected_since)


async def open_http(
    settings: Settings,
    telemetry: TelemetryParts,
    storage: StorageParts,
    core: CoreParts,
    plugins: PluginParts,
    files: FileStore | None,
    listeners: Listeners,
    tls: ListenersTls,
) -> int:
    """Listen for people, scripts and scrapers. Returns the port."""
    services = ApiServices(
        readers=storage.readers,
        writer=storage.writer,
        publish=core.services.publish,
        events=core.event_stream,
        live=core.registry,
        disconnect=core.registry.disconnect,
        commands=Commands(core.registry, core.versions),
        charge_points=core.charge_points,
        live_readings=telemetry.live,
        sync_local_list=local_list_sync(storage.writer, core.registry, telemetry.clock.now),
        charging_profiles=CHARGING_PROFILES,
        read_unmatched=read_unmatched,
        tell_story=Stories(storage.snapshot, settings.log_file).tell,
        check_profile=settings.check_profile,
        buttons=BUTTONS,
        key_changes=KEY_CHANGES,
        server_state=StateGuide(settings.database, telemetry.clock, core.attention).state,
        ocpp_versions=[version.version for version in core.versions],
        hash_password=core.passwords.hash,
        check_readiness=partial(check_writable, storage.writer),
        render_metrics=telemetry.metrics.render,
        log=telemetry.log,
        clock=telemetry.clock,
        learning=core.services.learning,
        booked=core.booked,
        attention=core.attention,
        credentials=core.credentials,
        copies=storage.copies,
        settings=[Setting.model_construct(**it._asdict()) for it in shown_settings(settings)],  # keeps phrases
        plugins=plugins.shown,
        failed_logins=FailedLogins(counted_as),
        files=files,
        certificates=core.certificates,
        refused=core.refused,
        frames=core.frames,
        connect_info=core.connect_guide.info,
    )
    rules = AccessRules(
        http_host=settings.http_host,
        allowed_hosts=settings.allowed_hosts or (),
        machine_names=await machine_names(),
        metrics_open=settings.metrics_open,
        find_client=_find_client(settings.trusted_proxies),
    )
    api = create_api(services, rules, RequestTelemetry(telemetry.metrics, telemetry.spans))
    add_pages(api)
    http = HttpServer(api, settings.http_host, settings.http_port, secured=secured(tls.http, "http"))
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


def _find_client(trusted: TrustedProxies | None) -> FindClient | None:
    if not trusted:
        return None
    return lambda peer, headers: client_of(peer, Headers(headers), trusted)


async def open_files(
    settings: Settings,
    storage: StorageParts,
    core: CoreParts,
    listeners: Listeners,
    tls: ServerTls | None = None,
) -> tuple[FileStore, int] | None:
    """Listen for chargers that fetch firmware and bring diagnostics, where that is wanted. Returns the port too."""
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
        now=core.services.now,
    )
    try:
        await store.open()
    except StorageFailed as error:
        raise StartError(f"files-directory: {error}") from error
    host = settings.files_host or settings.ocpp_host
    app = create_files_app(store, size_limit=size_limit)
    files = HttpServer(
        app, host, settings.files_port, stop_timeout=1, connection_limit=512, secured=secured(tls, "files")
    )
    try:
        port = await files.start()
    except OSError as error:
        raise _cannot_listen("files", host, settings.files_port, error) from error
    store.base_url = settings.files_url or base_urls("http", host, port, None)[0]
    listeners.add(files.stop)
    return store, port


def _cannot_listen(listener: str, host: str, port: int, error: OSError) -> StartError:
    # A name that can't be resolved has a negative number and its own text.
    reason = os.strerror(error.errno) if error.errno is not None and error.errno > 0 else error.strerror or error
    return StartError(
        f"{listener}-port: can't listen on {host} port {port} ({reason}); "
        f"stop what listens there or choose another --{listener}-host or --{listener}-port"
    )
