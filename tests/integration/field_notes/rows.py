"""What is tested here: the oddities of real chargers, by the file that shows them, in the order of the field notes.

Each title is the name of a test, or the beginning of several: `a half-open socket` is `test_a_half_open_socket`.
"""

from __future__ import annotations

import re
from typing import Final

ROWS: Final = {
    "test_connection": (
        "a half-open socket",
        "no subprotocol offered",
        "several subprotocols or a probe",
        "odd request targets",
        "pings unanswered",
        "no redial after a clean close",
        "compression that was not negotiated",
        "no boot or calls before it",
        "the whole fleet at once",
    ),
    "test_payloads": (
        "numbers for texts and texts for numbers",
        "members outside an enum or in other case",
        "texts too long",
        "unknown null and empty fields",
        "broken JSON",
        "odd clocks",
        "tenths in binary floats",
        "mixed units and phases",
        "required fields missing",
        "an object for a list or a text",
        "odd spellings of a time",
        "sampled values outside their enums",
        "ids no transaction can have",
        "faulty answers to commands",
    ),
    "test_transactions": (
        "a stop without a usable id",
        "a repeat with a new message id",
        "a queue delivered late",
        "a register that ran backwards",
        "a stale open transaction",
        "meter values without their transaction",
        "ids are positive and never reused",
        "registers by phase and intervals",
        "a register that falls",
        "lifetime and session registers mixed",
        "sentinels and impossible energy",
        "months of history on reconnect",
        "a reserved card without its reservation",
        "a transaction of another central system",
        "an identity in another letter case",
        "id tags with a serial number appended",
    ),
    "test_secrets": (
        "secret configuration keys",
        "cards that were refused",
    ),
    "test_commands": (
        "one call at a time",
        "both directions at once",
        "nothing unasked before the boot",
        "a remote start without a transaction",
        "one start for each plug in",
    ),
}

ELSEWHERE: Final = (
    "passwords in two forms",
    "files of spreadsheets and of other central systems",
)
"""What the field notes have besides, with tests where that is at home."""


def test_name(title: str) -> str:
    """The name that a row's test has, or begins with."""
    return "test_" + re.sub(r"[^a-z0-9]+", "_", title.lower())
