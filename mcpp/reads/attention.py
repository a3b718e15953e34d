"""What needs a person: a closed set of codes, how grave each is, what it says and what to do; see docs/attention.md.

`TEXTS` is the one place of the English sentences; whoever speaks another language translates these and fills in
`params`. When each begins and ends is decided in `mcpp.reads.attention_search`, by the thresholds here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from mcpp.domain.memory import NO_EVSE

OFFLINE_AFTER: Final = timedelta(minutes=5)
"""A charge point that is gone for less has a bad radio link; also the default of the plugin offline_alert."""

NEVER_BOOTED_AFTER: Final = timedelta(minutes=5)
"""Since it came first: its BootNotification is a matter of seconds."""

NEVER_BOOTED_FOR: Final = timedelta(days=7)
"""Since it came last: an identity that comes no more was somebody's mistake."""

OPEN_TOO_LONG: Final = timedelta(hours=48)
"""Longer than a weekend's guest stays; most forgotten transactions are closed by recovery long before."""

NO_METER_VALUES_AFTER: Final = timedelta(minutes=20)
"""More than the longest usual interval, 900 s."""

RECENT: Final = timedelta(days=7)
"""How long it's said that something has happened which goes on no more."""

IMPLAUSIBLE_FOR: Final = timedelta(days=30)
"""Longer, since money is missing until somebody corrects it; the list of transactions has it for ever."""

REFUSED_FOR: Final = timedelta(hours=24)

LEAST_DISK_SHARE: Final = 20
"""Low is less than one in twenty of the file system's bytes, but within the bounds that follow."""
LEAST_DISK: Final = 256 << 20
MOST_DISK: Final = 5 << 30
"""A database grows by some 100 MB a year and ten chargers."""

MOST_ITEMS: Final = 100
"""In an answer; the others are counted."""

LONGEST_TEXT: Final = 120
"""Characters of a text that a charger made up, within a sentence."""


def least_free(total: int) -> int:
    """How many bytes a file system of so many should have left."""
    return min(MOST_DISK, max(LEAST_DISK, total // LEAST_DISK_SHARE))


def is_disk_low(free: int, total: int) -> bool:
    """Whether a file system with so many bytes needs somebody."""
    return free < least_free(total)


class AttentionCode(StrEnum):
    """What can need a person."""

    FAULTED = "faulted"
    OFFLINE = "offline"
    NEVER_BOOTED = "never_booted"
    OPEN_TOO_LONG = "open_too_long"
    NO_METER_VALUES = "no_meter_values"
    RECOVERED = "recovered"
    IMPLAUSIBLE = "implausible"
    UNMATCHED = "unmatched"
    DEVIATING = "deviating"
    UNKNOWN_CARD = "unknown_card"
    REFUSED_CONNECTION = "refused_connection"
    RECONNECT_LOOP = "reconnect_loop"
    CERTIFICATE_EXPIRES = "certificate_expires"
    DISK_LOW = "disk_low"
    CLOCK_WRONG = "clock_wrong"


class Gravity(StrEnum):
    """How grave it is."""

    URGENT = "urgent"
    """Somebody can't charge now, or records are about to be lost."""
    WARNING = "warning"
    """Something will be missing in the books, or stop working."""
    NOTICE = "notice"
    """Good to know; nothing goes wrong if nobody looks."""


class AttentionAction(StrEnum):
    """The one thing to do about it: a button or a link."""

    RESTART = "restart"
    LOOK_AT_CHARGER = "look_at_charger"
    CONNECT_HELP = "connect_help"
    CLOSE_TRANSACTION = "close_transaction"
    CONFIGURE = "configure"
    LOOK_AT_SESSION = "look_at_session"
    CORRECT = "correct"
    ASSIGN = "assign"
    LOOK_AT_CONFORMANCE = "look_at_conformance"
    NAME_CARD = "name_card"
    RENEW_CERTIFICATE = "renew_certificate"
    FREE_DISK = "free_disk"
    SET_CLOCK = "set_clock"


TEXTS: Final[Mapping[AttentionCode, str]] = {
    AttentionCode.FAULTED: "{name} reports a fault: {error}",
    AttentionCode.OFFLINE: "{name} is offline",
    AttentionCode.NEVER_BOOTED: "{name} connects, but has never announced itself with a BootNotification",
    AttentionCode.OPEN_TOO_LONG: "{name}: the session of {id_tag} is open for more than {hours} hours",
    AttentionCode.NO_METER_VALUES: "{name} charges, but sends no meter values",
    AttentionCode.RECOVERED: "{name}: the session of {id_tag} had no stop and was closed by its last meter value",
    AttentionCode.IMPLAUSIBLE: "{name}: the energy of the session of {id_tag} can't be true and counts in no sum",
    AttentionCode.UNMATCHED: "{name}: records that belong to no known session: {count}",
    AttentionCode.DEVIATING: "{name}: new departures from OCPP, tolerated or refused: {count}",
    AttentionCode.UNKNOWN_CARD: "{name} was shown a card that has no name: {id_tag} ({status})",
    AttentionCode.REFUSED_CONNECTION: "A connection from {address} to {path} was refused: {remedy}",
    AttentionCode.RECONNECT_LOOP: "{name}: two devices seem to use this identity, each throws the other out",
    AttentionCode.CERTIFICATE_EXPIRES: "The certificate of {name} ends on {date}",
    AttentionCode.DISK_LOW: "The disk with the database has {free_mib} MiB left",
    AttentionCode.CLOCK_WRONG: "The clock of this machine is wrong: it is behind times that were told already",
}
"""Of each code, with the names of `params` in braces. `name` is what people call the charge point, which may be
anything, with its connector where it has more than one; or what the certificate is for."""

GRAVITY: Final[Mapping[AttentionCode, Gravity]] = {
    AttentionCode.DISK_LOW: Gravity.URGENT,
    AttentionCode.FAULTED: Gravity.URGENT,
    AttentionCode.OFFLINE: Gravity.URGENT,
    AttentionCode.RECONNECT_LOOP: Gravity.URGENT,
    AttentionCode.CLOCK_WRONG: Gravity.WARNING,
    AttentionCode.CERTIFICATE_EXPIRES: Gravity.WARNING,
    AttentionCode.NEVER_BOOTED: Gravity.WARNING,
    AttentionCode.REFUSED_CONNECTION: Gravity.WARNING,
    AttentionCode.NO_METER_VALUES: Gravity.WARNING,
    AttentionCode.OPEN_TOO_LONG: Gravity.WARNING,
    AttentionCode.IMPLAUSIBLE: Gravity.WARNING,
    AttentionCode.UNMATCHED: Gravity.WARNING,
    AttentionCode.RECOVERED: Gravity.NOTICE,
    AttentionCode.UNKNOWN_CARD: Gravity.NOTICE,
    AttentionCode.DEVIATING: Gravity.NOTICE,
}

_ACTIONS: Final[Mapping[AttentionCode, AttentionAction]] = {
    AttentionCode.FAULTED: AttentionAction.RESTART,
    AttentionCode.OFFLINE: AttentionAction.LOOK_AT_CHARGER,
    AttentionCode.NEVER_BOOTED: AttentionAction.LOOK_AT_CHARGER,
    AttentionCode.OPEN_TOO_LONG: AttentionAction.CLOSE_TRANSACTION,
    AttentionCode.NO_METER_VALUES: AttentionAction.CONFIGURE,
    AttentionCode.RECOVERED: AttentionAction.LOOK_AT_SESSION,
    AttentionCode.IMPLAUSIBLE: AttentionAction.CORRECT,
    AttentionCode.UNMATCHED: AttentionAction.ASSIGN,
    AttentionCode.DEVIATING: AttentionAction.LOOK_AT_CONFORMANCE,
    AttentionCode.UNKNOWN_CARD: AttentionAction.NAME_CARD,
    AttentionCode.REFUSED_CONNECTION: AttentionAction.CONNECT_HELP,
    AttentionCode.RECONNECT_LOOP: AttentionAction.LOOK_AT_CHARGER,
    AttentionCode.CERTIFICATE_EXPIRES: AttentionAction.RENEW_CERTIFICATE,
    AttentionCode.DISK_LOW: AttentionAction.FREE_DISK,
    AttentionCode.CLOCK_WRONG: AttentionAction.SET_CLOCK,
}


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that needs a person."""

    code: AttentionCode
    charge_point_id: str | None
    """None where it's the server's own."""
    connector_id: int | None
    """None where it's the whole charge point's, or the server's."""
    since: datetime
    """By the server's clock; what is over happened then."""
    params: Mapping[str, str]
    """What the text names, and what the action needs: `transaction_id`, `id_tag`."""
    evse_id: int = NO_EVSE
    """Of the EVSE that the connector is one of; 0 where its charge point's OCPP version has connectors only."""

    @property
    def text(self) -> str:
        """In English."""
        return TEXTS[self.code].format_map(self.params)

    @property
    def action(self) -> AttentionAction:
        return _ACTIONS[self.code]

    @property
    def gravity(self) -> Gravity:
        return GRAVITY[self.code]
