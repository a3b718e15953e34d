"""How the server itself fares: answers, the database, the event loop, plugins, and its own telemetry."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.common import BigValueTextMode

from tools.dashboards.board import Row
from tools.dashboards.board import dashboard as board
from tools.dashboards.panels import (
    BLUE,
    GREEN,
    ORANGE,
    RED,
    SOME_SCRAPES,
    YELLOW,
    Query,
    graph,
    heat,
    number,
    traces_table,
)
from tools.dashboards.queries import STEP, buckets, increase, now, over_time, quantile, traces, with_exemplars

_RIGHT_AXIS = [
    model.DynamicConfigValue("unit", "short"),
    model.DynamicConfigValue("custom.axisPlacement", "right"),
]
_MESSAGES = "mcpp_ocpp_message_duration_seconds"


def dashboard() -> model.Dashboard:
    return board(
        "mcpp-service",
        "MCPP: service health",
        "How the server itself fares: answers, the database, the event loop, plugins, and its own telemetry.",
        [
            _figures(),
            _answers(),
            _contract(),
            _commands(),
            _database(),
            _process(),
            _plugins(),
            _telemetry(),
            _traces(),
        ],
        since="now-3h",
    )


def _figures() -> Row:
    return "Now", [
        number(
            "Version",
            now("max by (version) (mcpp_build_info{INSTANCE})", "{{version}}"),
            "What runs; the label says it, the value is always 1.",
        ).text_mode(BigValueTextMode.NAME),
        number(
            "Up for",
            now("time() - max(mcpp_start_time_seconds{INSTANCE})"),
            "Since the server started.",
            unit="dtdurations",
        ),
        number(
            "Messages",
            over_time("sum(rate(mcpp_ocpp_messages_total{INSTANCE}[$__rate_interval]))"),
            "OCPP frames in both directions.",
            unit="cps",
            trend=True,
        ),
        number(
            "Answers, 99th percentile",
            over_time(quantile(0.99, _MESSAGES, matchers='direction="in"')),
            "One in a hundred of the chargers' messages waits longer.",
            unit="s",
            steps={float("-inf"): GREEN, 0.25: YELLOW, 1: RED},
            trend=True,
        ),
        number(
            "Database errors",
            now(increase("mcpp_database_errors_total")),
            "Writes that failed in the time shown; their messages weren't answered, so the chargers send them again.",
            decimals=0,
            steps={float("-inf"): GREEN, 1: RED},
        ),
        number(
            "Lost log lines and spans",
            now(
                increase("mcpp_log_lines_dropped_total")
                + ' + (sum(increase(mcpp_spans_total{INSTANCE, outcome=~"dropped|failed"}[$__range])) or vector(0))'
            ),
            "In the time shown. Gaps in what explains the server, not in the database.",
            decimals=0,
            steps={float("-inf"): GREEN, 1: ORANGE},
        ),
    ]


_SHARES = {"median": 0.5, "95 %": 0.95, "99 %": 0.99}


def _quantiles(histogram: str) -> list[Query]:
    return [over_time(quantile(share, histogram), name) for name, share in _SHARES.items()]


def _message_quantiles(direction: str) -> list[Query]:
    """The one histogram with exemplars: each of its observations has a trace."""
    matchers = f'direction="{direction}"'
    return [with_exemplars(quantile(share, _MESSAGES, matchers=matchers), name) for name, share in _SHARES.items()]


def _answers() -> Row:
    return "Chargers' messages", [
        graph(
            "Time to answer",
            _message_quantiles("in"),
            "From a charger's CALL to its answer. A point is one message: a click leads to its trace.",
            unit="s",
            limits={1: RED},
        ),
        heat(
            "Time to answer, spread",
            buckets(f'sum by (le) (increase({_MESSAGES}_bucket{{INSTANCE, direction="in"}}[{STEP}]))').exemplar(True),
            "Two bands mean two kinds of messages, such as those that write and those that don't.",
            unit="s",
        ),
        graph(
            "Time to answer by action, 99th percentile",
            [with_exemplars(quantile(0.99, _MESSAGES, "action", 'direction="in"'), "{{action}}")],
            "Which message is slow. Authorize and StartTransaction may ask plugins.",
            unit="s",
        ),
        graph(
            "Messages from chargers",
            [
                over_time(
                    'sum by (action) (rate(mcpp_ocpp_messages_total{INSTANCE, direction="in", message_type="call"}'
                    "[$__rate_interval])) > 0",
                    "{{action}}",
                )
            ],
            "CALLs by action.",
            unit="cps",
            stacked=True,
        ),
        graph(
            "Waiting for their turn",
            [over_time("sum(mcpp_incoming_call_queue_depth{INSTANCE})", "messages of chargers")],
            "A charger's messages are handled one after the other, so that they keep their order.",
        ),
        graph(
            "Connections",
            [
                over_time(
                    "sum by (outcome) (rate(mcpp_connections_total{INSTANCE}[$__rate_interval])) > 0", "{{outcome}}"
                )
            ],
            "How connections began (accepted), were refused, or ended (closed, lost, idle, …).",
            unit="cps",
            stacked=True,
        ),
    ]


def _contract() -> Row:
    return "Contract", [
        graph(
            "Errors for answers",
            [
                over_time(
                    increase("mcpp_ocpp_errors_total", "direction, code", STEP) + " > 0",
                    "{{direction}} {{code}}",
                )
            ],
            "CALLERROR frames. out: what we answered; in: what chargers answered to commands.",
            bars=True,
            stacked=True,
            calcs=("sum",),
        ),
        graph(
            "Departures from OCPP that were repaired",
            [
                over_time(
                    increase("mcpp_contract_deviations_total", "action, rule", STEP) + " > 0",
                    "{{action}} {{rule}}",
                )
            ],
            "By message and rule. A new line here is mostly new firmware.",
            bars=True,
            stacked=True,
            calcs=("sum",),
        ),
    ]


def _commands() -> Row:
    return "Commands", [
        graph(
            "Time to the charger's answer",
            _message_quantiles("out"),
            "From handing over a command to its answer; its time in the queue counts. Chargers may take seconds.",
            unit="s",
        ),
        graph(
            "Waiting and timed out",
            [
                over_time("sum(mcpp_call_queue_depth{INSTANCE})", "waiting"),
                over_time(increase("mcpp_call_timeouts_total", over=STEP), "timed out"),
            ],
            "A charger gets one command at a time. Timed out: no answer within call-timeout.",
            interval=SOME_SCRAPES,
            colors={"waiting": BLUE, "timed out": RED},
        ),
    ]


def _api() -> Row:
    return "API", [
        graph(
            "Time to answer a request, 95th percentile",
            [
                with_exemplars(
                    quantile(0.95, "mcpp_http_request_duration_seconds", "method, route"), "{{method}} {{route}}"
                )
            ],
            "Commands take as long as their charger; a stream of events lasts as long as its reader stays.",
            unit="s",
        ),
        graph(
            "Answers by status",
            [over_time(increase("mcpp_http_request_duration_seconds_count", "status", STEP) + " > 0", "{{status}}")],
            "500: a fault of ours. 502, 503 and 504: a charger that refused, left or didn't answer.",
            bars=True,
            stacked=True,
            calcs=("sum",),
        ),
    ]


def _database() -> Row:
    return "Database", [
        graph(
            "Commits",
            _quantiles("mcpp_database_write_duration_seconds"),
            "One write transaction, from its begin to its commit. This is the disk.",
            unit="s",
            limits={0.25: RED},
        ),
        graph(
            "Waiting for a commit",
            _quantiles("mcpp_database_wait_seconds"),
            "From handing over a write to the begin of its batch.",
            unit="s",
        ),
        graph(
            "Writes in one commit",
            [
                over_time(
                    "sum(rate(mcpp_database_batch_size_sum{INSTANCE}[$__rate_interval]))"
                    " / sum(rate(mcpp_database_batch_size_count{INSTANCE}[$__rate_interval]))",
                    "mean",
                ),
                over_time(quantile(0.99, "mcpp_database_batch_size"), "99 %"),
                over_time("sum(mcpp_database_queue_depth{INSTANCE})", "waiting"),
            ],
            "Messages that come together share a commit: under load this grows, and the time of a commit hardly does.",
        ),
        graph(
            "Size and errors",
            [
                over_time("sum(mcpp_database_size_bytes{INSTANCE})", "size"),
                over_time(increase("mcpp_database_errors_total", over=STEP), "errors"),
            ],
            "The database file with its write-ahead log; writes that failed on the right.",
            unit="bytes",
            interval=SOME_SCRAPES,
        ).override_by_name("errors", _RIGHT_AXIS),
    ]


def _process() -> Row:
    return "Process", [
        graph(
            "Event loop lag",
            _quantiles("mcpp_event_loop_lag_seconds"),
            "How late the loop runs what is due. Above 0.1 s something blocks it.",
            unit="s",
            limits={0.1: RED},
            span=8,
        ),
        graph(
            "CPU",
            [over_time('sum(rate(process_cpu_seconds_total{INSTANCE, job="mcpp"}[$__rate_interval]))', "cores")],
            "1 is one core. The event loop uses one at most, the database's thread a bit of another.",
            unit="percentunit",
            span=8,
        ),
        graph(
            "Memory and file descriptors",
            [
                over_time('sum(process_resident_memory_bytes{INSTANCE, job="mcpp"})', "memory"),
                over_time('sum(process_open_fds{INSTANCE, job="mcpp"})', "file descriptors"),
            ],
            "Both grow with the number of connected chargers and with nothing else.",
            unit="bytes",
            span=8,
        ).override_by_name("file descriptors", _RIGHT_AXIS),
    ]


def _plugins() -> Row:
    return "Plugins", [
        graph(
            "Time in plugins, 95th percentile",
            [over_time(quantile(0.95, "mcpp_plugin_duration_seconds", "plugin, hook"), "{{plugin}} {{hook}}")],
            "One call of a hook or job.",
            unit="s",
            span=8,
        ),
        graph(
            "Failures and lost events",
            [
                over_time(
                    increase("mcpp_plugin_errors_total", "plugin, hook", STEP) + " > 0",
                    "{{plugin}} {{hook}} failed",
                ),
                over_time(
                    increase("mcpp_plugin_events_dropped_total", "plugin, hook", STEP) + " > 0",
                    "{{plugin}} {{hook}} lost",
                ),
            ],
            "Calls that raised or ran out of time, and events that a plugin never got since too many waited.",
            bars=True,
            stacked=True,
            calcs=("sum",),
            span=8,
        ),
        graph(
            "Events that wait",
            [over_time("sum by (plugin) (mcpp_plugin_queue_depth{INSTANCE})", "{{plugin}}")],
            "For each plugin. A queue that stays long ends in lost events.",
            span=8,
        ),
    ]


def _telemetry() -> Row:
    return "Telemetry", [
        graph(
            "Spans",
            [over_time(increase("mcpp_spans_total", "outcome", STEP), "{{outcome}}")],
            "failed: the collector refused them or isn't there; dropped: more than the buffer holds.",
            bars=True,
            stacked=True,
            colors={"exported": GREEN, "failed": RED, "dropped": ORANGE},
            calcs=("sum",),
        ),
        graph(
            "Lost log lines",
            [over_time(increase("mcpp_log_lines_dropped_total", over=STEP), "lines")],
            "Since whatever reads them stalls or is gone.",
            bars=True,
            calcs=("sum",),
        ),
    ]


def _traces() -> Row:
    return "Traces", [
        traces_table(
            "Messages that failed",
            traces('{ resource.service.name = "mcpp" && status = error }'),
            "Empty where tracing is off.",
            span=12,
        ),
        traces_table(
            "Messages that took longer than a second",
            traces('{ resource.service.name = "mcpp" && kind = server && duration > 1s }'),
            "The span below the message that is as long as it is the cause.",
            span=12,
        ),
    ]
