"""How large what a charge point fills may become: one table, in bytes of UTF-8 unless it says otherwise.

Each bound lies far above what chargers send, so that it costs no correct message anything; together they let one
hostile client fill neither disk nor memory. docs/bounds.md says for people what happens at each. What is over is cut
or left out and counted as a deviation; a start or a stop is booked all the same.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

KIB: Final = 1 << 10
MIB: Final = 1 << 20


class Over(StrEnum):
    """The rules by which what is over a bound isn't kept; each is counted as a deviation, as those of repair are."""

    TOO_MUCH_TO_KEEP = "too_much_to_keep"
    OLDEST_DROPPED = "oldest_dropped"


# Texts, where they are read.

NAME: Final = 256
"""A text that the contract allows up to 50 characters, or that should be one of a list: five times as much."""
TEXT: Final = KIB
"""A text that the contract allows up to 255 characters."""
LONG_TEXT: Final = 16 * KIB
"""A text that the contract allows more than that: a configuration key's value, a certificate or a request for one."""
LONGEST_NAME: Final = 50
LONGEST_TEXT: Final = 255
"""Characters: where the contract's lengths fall into the three."""

# Records of one charge point.

UNMATCHED_PAYLOAD: Final = 64 * KIB
"""The payload of one unmatched record; meter values in its middle go first."""
UNMATCHED_RECORDS: Final = 1_000
UNMATCHED_BYTES: Final = 2 * MIB
"""Payloads of a charge point's unmatched records together."""
SECURITY_EVENTS: Final = 1_000
"""Of a charge point: 1.3 MB at most, by the bounds of their texts."""
CONFIGURATION_KEYS: Final = 1_000
CONFIGURATION_BYTES: Final = 256 * KIB
"""Keys and values of a charge point together."""
DEVICE_VARIABLES: Final = 4_000
"""Attributes of a charge point's variables; a report of all of a large one has some 1,500."""
DEVICE_VARIABLES_BYTES: Final = 2 * MIB
"""Their keys, values and lists of values together."""
DEVICE_MONITORS: Final = 1_000
DEVICE_EVENTS: Final = 1_000
DEVICE_EVENT_DETAILS: Final = 4 * KIB
"""What an event says beside its columns, as JSON."""
DEVICE_REPORTS: Final = 20
"""Of a charge point, of all kinds."""
DEVICE_REPORT_CHUNKS: Final = 4_000
"""Of one report."""
DEVICE_REPORTS_BYTES: Final = 2 * MIB
"""The chunks of a charge point's reports together; those of one report, too."""
DEVICE_VARIABLE_ROW: Final = 128
DEVICE_MONITOR_ROW: Final = 1 * KIB
DEVICE_EVENT_ROW: Final = 2 * KIB
"""What one costs beside its text in the message: at once as many events are stored as are kept, twice as many monitors.

An event has a line in the log and goes to readers and plugins, too.
"""
DEVICE_PORTION: Final = 50
"""Variables, monitors or events that are stored at once; of a message that has more the rest follows in portions, so
that others' messages are stored between them."""
STATUS_CHANGES: Final = 1_000
"""Of a connector, for its history: the oldest go."""
CONNECTIONS: Final = 1_000
"""Of a charge point, for its history: the oldest go."""
CONNECTORS: Final = 256
"""Of a charge point: a status or values of one more are left out, a start is booked."""
SAMPLE_KINDS: Final = 256
"""New kinds of samples that a charge point may bring in the life of a process; a real one has some sixty."""
SAMPLE_KINDS_OF_ALL: Final = 20_000

# What a charge point may have stored beside starts and stops: a bucket that fills again.

STORED_BURST: Final = 2 * MIB
"""Some 10,000 meter values of four samples at once: what was kept over a week without a connection."""
STORED_PER_SECOND: Final = 64 * KIB
"""Goes on for ever: 125 meter values a second of twenty samples each. Four chargers together are below 1 MiB.

What a charge point tells of its devices has another one, as large, so that a report leaves the samples their room.
"""
ROW: Final = 64
"""What a row costs beside its texts."""

# What goes out.

LOG_FIELD: Final = KIB
"""A field of a log line, as text; `stack` and `payload` have their own."""
LOG_STACK: Final = 16 * KIB
LOG_PAYLOAD: Final = 64 * KIB
"""A payload in a log line; of a longer one the line says how long it is, and shows how it begins."""
LOG_SEARCHED: Final = 16 * KIB
"""The same of a payload that may hold secrets: searching it takes up to 3 ms a KiB."""
LOG_LIST: Final = 100
"""Entries of a list or an object in a log line's field, that isn't a payload."""
PAGE: Final = 4 * MIB
"""Texts of the items of an API's page; it ends early, with a cursor."""
ALL_CHARGE_POINTS: Final = 64 * MIB
"""Of all charge points at once, as plugins ask for them: some 30,000 with two connectors each."""
RECENT_EVENTS: Final = 8 * MIB
"""The last events that are kept for readers of the stream."""
EVENT_STREAMS: Final = 100
"""Readers of the stream at a time."""
PLUGIN_INBOX: Final = 16 * MIB
"""Events that wait for one plugin."""

# Connections that were refused, for people.

CONNECTION_PATH: Final = 200
"""The path that a charge point came by, as it's shown."""
REFUSED_CONNECTIONS: Final = 100
"""Kinds of refused connections that are kept: by address, path and outcome."""

# The last frames of each charge point, for people.

FRAME_KEPT: Final = 4 * KIB
"""Of one frame; of a longer one the beginning."""
FRAMES: Final = 100
"""Of one charge point."""
FRAMES_OF_ONE: Final = 32 * KIB
FRAMES_OF_ALL: Final = 16 * MIB
"""Where there are more than 512 charge points, each may keep less."""

MARK: Final = "…"
_MARK_BYTES: Final = len(MARK.encode())


def text_bound(longest: int) -> int:
    """The bytes that are kept of a text which the contract allows so many characters."""
    return NAME if longest <= LONGEST_NAME else TEXT if longest <= LONGEST_TEXT else LONG_TEXT


def is_over(text: str, most: int) -> bool:
    """Whether a text has more than so many bytes."""
    length = len(text)
    return length > most or (length * 4 > most and not text.isascii() and _size(text) > most)


def cut(text: str, most: int) -> str:
    """The text in at most so many bytes: whole, or its beginning, cut between two characters and marked."""
    if not is_over(text, most):
        return text
    # No character has less than a byte, so no more of a huge text is looked at.
    beginning = text[:most].encode(errors="replace")[: most - _MARK_BYTES]
    return beginning.decode(errors="ignore") + MARK


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
