"""What explains the server: log lines, metrics and spans, built before all else and closed after it."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from mcpp import __version__
from mcpp.clock import Clock
from mcpp.csms.observer import ConformanceObserver
from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.csms.refused import RefusedConnections
from mcpp.domain.events import Subscriber
from mcpp.domain.statuses import ConnectorError, ConnectorStatus, StopReason
from mcpp.reads.live import MOST_KNOWN, LiveReadings
from mcpp.server.versions import VERSIONS
from mcpp.settings import Settings
from mcpp.telemetry.business import BusinessTelemetry
from mcpp.telemetry.fleet.state import Fleet
from mcpp.telemetry.labels import OTHER
from mcpp.telemetry.logs.control import LogControl
from mcpp.telemetry.logs.lines import LineWriter
from mcpp.telemetry.logs.message_lines import MessageLines
from mcpp.telemetry.messages import MessageTelemetry
from mcpp.telemetry.metrics.definitions import Metrics
from mcpp.telemetry.plugins import PluginTelemetry
from mcpp.telemetry.sessions import ChargingSessions
from mcpp.telemetry.tracing.flow_spans import FlowSpans
from mcpp.telemetry.tracing.session_spans import SessionSpans
from mcpp.telemetry.tracing.settings import read_tracing_settings
from mcpp.telemetry.tracing.spans import Spans

if TYPE_CHECKING:
    from mcpp.telemetry.tracing.pipeline import Tracing

_FLUSH_SECONDS: Final = 2.0
"""For the last spans: the whole server ends within 10 s, however its collector behaves."""


class TelemetryParts(NamedTuple):
    """What explains the server."""

    lines: LineWriter
    log: LogControl
    metrics: Metrics
    sessions: ChargingSessions
    live: LiveReadings
    fleet: Fleet
    spans: Spans | None
    """None where tracing is off."""
    clock: Clock
    """The server's own, which all parts share."""

    def observer(
        self, settings: Settings, conformance: ConformanceObserver, refused: RefusedConnections
    ) -> MessageTelemetry:
        """What observes the messages, and tells `conformance` of those that break the contract."""
        spans = None if self.spans is None else FlowSpans(self.spans, self.metrics.actions, OTHER)
        lines = MessageLines(self.lines)
        return MessageTelemetry(
            lines, self.metrics, self.sessions, spans, conformance, refused, slow_seconds=settings.slow_message
        )

    def subscribers(self) -> list[Subscriber]:
        """What follows the domain's events."""
        business = BusinessTelemetry(self.lines, self.metrics)
        followers: list[Subscriber] = [self.live, business, self.sessions, self.fleet]
        return followers if self.spans is None else [*followers, SessionSpans(self.spans)]

    def plugins(self) -> PluginTelemetry:
        """What observes the plugins."""
        return PluginTelemetry(self.metrics, self.spans, self.clock)


def build_telemetry(
    settings: Settings, lines: LineWriter, running: AsyncExitStack, clock: Clock | None = None
) -> TelemetryParts:
    """By the machine's clock, or another. Raises StartError where the OTEL_ variables ask for what can't be."""
    metrics = Metrics(
        version=__version__,
        actions={name for version in VERSIONS for name in (*version.calls, *version.commands)},
        # Where versions differ, the first one's word goes.
        error_codes={
            code: counted for version in reversed(VERSIONS) for code, counted in version.counted_error_codes.items()
        },
        stop_reasons=tuple(StopReason),
        connection_outcomes=tuple(ConnectionOutcome),
    )
    clock = clock or Clock()
    metrics.watch_clock(lambda: clock.is_wrong)
    metrics.watch_log(lambda: lines.dropped)
    metrics.watch_database(settings.database)
    spans = None
    asked_for = read_tracing_settings(os.environ)
    if asked_for is not None:
        from mcpp.telemetry.tracing.pipeline import Tracing  # with it comes the SDK: most servers have none

        tracing = Tracing(asked_for)
        tracing.make_global()
        running.push_async_callback(partial(tracing.close, _FLUSH_SECONDS))
        spans = Spans(tracing.sampling, tracing.resource, tracing.on_end)
        metrics.watch_spans(partial(_counts, tracing))
    sessions = ChargingSessions(None if spans is None else SessionSpans(spans).end)
    live = LiveReadings(max(MOST_KNOWN, settings.per_charger_metrics_limit), clock.now)
    fleet = Fleet(
        live,
        statuses=tuple(ConnectorStatus),
        error_codes=tuple(ConnectorError),
        series_limit=settings.per_charger_metrics_limit if settings.per_charger_metrics else 0,
    )
    return TelemetryParts(lines, LogControl(lines), metrics, sessions, live, fleet, spans, clock)


def _counts(tracing: Tracing) -> dict[str, int]:
    return tracing.counts._asdict()
