"""The composition root: builds every part, runs them until a signal and takes them down again."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import stat
import sys
import threading
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from mcpp.bounds import MIB
from mcpp.errors import StartError
from mcpp.server.chores import TlsFileKeeper
from mcpp.server.connect import base_urls
from mcpp.server.listeners import Listeners, open_files, open_http, open_ocpp
from mcpp.server.parts import (
    CoreParts,
    StorageParts,
    build_core,
    build_plugins,
    enabled_plugins,
    open_storage,
)
from mcpp.server.systemd import ServiceManager
from mcpp.server.telemetry import TelemetryParts, build_telemetry
from mcpp.server.tls import ListenersTls, open_tls
from mcpp.server.watchdog import LOOP_STALL_SECONDS, WRITER_STALL_SECONDS, Watchdog, Watched
from mcpp.settings import Settings, is_loopback
from mcpp.telemetry.logs.control import follow_signals
from mcpp.telemetry.logs.lines import LineWriter
from mcpp.telemetry.logs.pipeline import get_logger, logging_to, report_loop_errors, wants_colors
from mcpp.telemetry.logs.rotated_file import RotatedFile
from mcpp.telemetry.logs.sink import STANDARD_OUTPUT, LogSink, fill_standard_streams
from mcpp.telemetry.loop_lag import LoopLag

_FILES = 65_536
"""File descriptors: one for each connection, and then some."""

_SWITCH_INTERVAL = 0.0005
"""Seconds after which a busy thread yields to one that waits for the interpreter. With Python's 5 ms the database's
writer, which lets go of it for every row, gets a row stored in 5 ms beside a flood."""


def serve(settings: Settings) -> int:
    """Run the central system until SIGTERM or SIGINT. Returns the exit code; raises StartError."""
    fill_standard_streams()
    _allow_many_connections()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    sink, file = LogSink(), _open_log_file(settings)
    colors = wants_colors(STANDARD_OUTPUT)
    with (
        logging_to(
            sink,
            level=settings.log_level,
            log_format=settings.log_format,
            log_payloads=settings.log_payloads,
            colors=colors,
            file=file,
        ) as lines,
        asyncio.Runner(loop_factory=_loop_factory()) as runner,
    ):
        runner.run(_serve(settings, lines))
    _leave_threads_behind()
    return 0


def _open_log_file(settings: Settings) -> LogSink | None:
    """The log file's sink, where one is wanted. Raises StartError."""
    path = settings.log_file
    if path is None:
        return None
    try:
        file = RotatedFile(
            path, size=settings.log_file_size * MIB, count=settings.log_file_count, say=partial(_say_of_log_file, path)
        )
    except OSError as error:
        raise StartError(f"log-file: {path} can't be written ({error.strerror})") from error
    return LogSink(write_all=file.write_all)


def _say_of_log_file(path: Path, event: str, reason: str) -> None:
    get_logger().warning(event, category="system", file=str(path), **({"reason": reason} if reason else {}))


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


async def _serve(settings: Settings, lines: LineWriter) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    report_loop_errors(loop)
    wanted = enabled_plugins(settings)
    tls = open_tls(settings)
    if not sys.stdout.isatty():  # where it is one, the signal says that the terminal was closed
        loop.add_signal_handler(signal.SIGHUP, tls.reload)
    async with AsyncExitStack() as running:
        telemetry = build_telemetry(settings, lines, running)
        follow_signals(telemetry.log, loop)
        lag = LoopLag(telemetry.metrics.event_loop_lag.observe)
        lag.start()
        running.callback(lag.stop)
        telemetry.metrics.watch_tasks(lambda: len(asyncio.all_tasks(loop)))
        manager = ServiceManager(os.environ)
        storage = await open_storage(settings, telemetry, running)
        _watch(manager, telemetry, lag, storage, running)
        core = await build_core(settings, telemetry, storage, running, tls)
        plugins = build_plugins(wanted, telemetry, storage, core, running)
        listeners = Listeners()
        running.push_async_callback(listeners.stop)
        ocpp_port = await open_ocpp(settings, telemetry, core, listeners, tls.ocpp)
        files = await open_files(settings, storage, core, listeners, tls.files)
        http_port = await open_http(settings, telemetry, storage, core, plugins, files and files[0], listeners, tls)
        tls.announce()
        certificates = TlsFileKeeper(tls.look)
        certificates.start()
        running.push_async_callback(certificates.stop)
        _tune_garbage_collection()
        await _announce(settings, core, tls, ocpp_port=ocpp_port, http_port=http_port, files_port=files and files[1])
        manager.ready(f"chargers on port {ocpp_port}, HTTP on port {http_port}")
        plugins.start()
        await stop.wait()
        manager.stopping()
        get_logger().info("server_stopping", category="system")
    get_logger().info("server_stopped", category="system")


def _watch(
    manager: ServiceManager, telemetry: TelemetryParts, lag: LoopLag, storage: StorageParts, running: AsyncExitStack
) -> None:
    """Name what makes the loop or the writer stand still, from here to the end."""
    watchdog = Watchdog(manager, lambda part: telemetry.metrics.stalls.labels(part).inc())
    own = threading.current_thread()
    watchdog.watch(
        Watched("event_loop", own, lambda: lag.ticked_at, lag.interval + LOOP_STALL_SECONDS, always_busy=True)
    )
    writer = storage.writer
    watchdog.watch(Watched("writer", writer.thread, lambda: writer.writing_since, WRITER_STALL_SECONDS))
    watchdog.start()
    running.callback(watchdog.stop)


def _tune_garbage_collection() -> None:
    """Keep the collector off what lives for ever, and from walking the rest at every few messages.

    A message's objects have no cycles and go by reference count; with the defaults, 700 new objects set off a
    collection, which is a MeterValues or two. The little that a start makes and drops isn't worth a walk.
    """
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    gc.enable()


async def _announce(
    settings: Settings,
    core: CoreParts,
    tls: ListenersTls,
    *,
    ocpp_port: int,
    http_port: int,
    files_port: int | None,
) -> None:
    log = get_logger()
    if not is_loopback(settings.ocpp_host) and not await core.presence.chargers_authenticated():
        log.warning("chargers_not_authenticated", category="system", ocpp_host=settings.ocpp_host)
    if settings.api_token_file is not None and settings.api_token_file.stat().st_mode & stat.S_IROTH:
        log.warning("api_token_file_open", category="system", file=str(settings.api_token_file))
    ports = {"ocpp_port": ocpp_port, "http_port": http_port}
    if files_port is not None:
        ports["files_port"] = files_port
    charger_url = core.connect_guide.url()
    page_url = base_urls("http", settings.http_host, http_port, tls.http)[0]
    urls = {"charger_url": charger_url, "page_url": f"{page_url}/", "docs_url": f"{page_url}/docs"}
    log.info("server_started", category="system", **ports, **urls)
