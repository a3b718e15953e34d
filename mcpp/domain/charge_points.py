"""Charge points: connecting, booting, and the reports that stand beside charging."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Final, NamedTuple

from mcpp import bounds
from mcpp.bounds import Over
from mcpp.domain import passwords
from mcpp.domain.conformance import Waiting, has_told_firmware, write_departures
from mcpp.domain.digests import digest_of
from mcpp.domain.events import (
    ChargePointBooted,
    ChargePointForgotten,
    ChargePointSettingsChanged,
    ReportReceived,
    SecurityEventReceived,
)
from mcpp.domain.identities import plain_form
from mcpp.domain.occasion import LeftOut, Occasion, OperatorOccasion, Result
from mcpp.domain.passwords import NO_HASHES, Hashes, read_hashes
from mcpp.domain.recovery import weigh_boot
from mcpp.domain.security_profiles import (
    ASKS_NOTHING,
    NOTHING_SHOWN,
    ProfilePolicy,
    Refusal,
    SecurityProfile,
    Shown,
    judge,
)
from mcpp.domain.state_history import begin_connection, end_connection
from mcpp.domain.version_change import change_version
from mcpp.domain.versions import choose_version, read_versions, spell_versions
from mcpp_generated.db.enums import ReportKind
from mcpp_generated.db.models import ChargePoint, GetCredentialsRow
from mcpp_generated.db.queries import Queries


@dataclass(frozen=True, slots=True)
class Boot:
    """What a charge point says of itself when it boots (OCPP 1.6 §6.3)."""

    vendor: str
    model: str
    serial_number: str | None
    charge_box_serial_number: str | None
    firmware_version: str | None
    iccid: str | None
    imsi: str | None
    meter_type: str | None
    meter_serial_number: str | None


class Connected(NamedTuple):
    """A connection that is recorded."""

    key: int
    """The charge point's."""
    epoch: int
    """The number of this connection among the charge point's, counted from 1."""
    in_other_case: str | None = None
    """At its first connection: a charge point that is known by the same identity in another letter case."""
    security_profile: SecurityProfile = SecurityProfile.NONE
    """That it uses."""
    ocpp_version: str = ""
    """That it speaks: the one that was chosen among those that it offered."""


@dataclass(frozen=True, slots=True)
class VersionNotAllowed:
    """It offers no version of OCPP that it may speak, as an operator says."""

    allowed: Sequence[str]


@dataclass(frozen=True, slots=True)
class NotRegistered:
    """The charge point is unknown, and must not be registered."""

    in_other_case: str | None = None
    """A charge point that is known by the same identity in another letter case."""


@dataclass(frozen=True, slots=True)
class InOtherForm:
    """The charge point is unknown, but for the Unicode form of its identity, by which nobody could tell them apart."""

    known_as: str


@dataclass(frozen=True, slots=True)
class PasswordNeeded:
    """It must be found out whether the charge point knows one of its passwords."""

    hashes: Hashes = field(repr=False)
    authenticated: bool = False
    """It has proved who it is before."""

    @property
    def optional(self) -> bool:
        """It may connect all the same: it has only been offered a password yet."""
        return self.hashes.current is None


@dataclass(frozen=True, slots=True)
class ProofNeeded:
    """It has nothing to prove who it is by, and must."""


class Proof(NamedTuple):
    """What came of comparing the password that a charge point has sent."""

    hashes: Hashes
    """Those that it was compared with."""
    proven: str | None
    """The one that it belongs to."""


class Keep(Enum):
    """The type of KEEP."""

    KEEP = auto()


KEEP: Final = Keep.KEEP
"""In place of a value, None included: let it be as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an operator says of a charge point."""

    display_name: str | Keep | None = KEEP
    auto_start: bool | Keep | None = KEEP
    """None: as the setting says for all."""
    rated_power_w: int | Keep | None = KEEP
    """Of each connector, at most; None: nobody knows."""
    password_hash: str | Keep | None = field(default=KEEP, repr=False)
    """None: it needs no password."""
    security_profile: int | Keep | None = KEEP
    """At least; None: as the setting says for all. What it has used before counts up to this."""
    certificate_serial: str | Keep | None = KEEP
    """What its certificate may have as CN in place of its identity."""
    ocpp_versions: Sequence[str] | Keep | None = KEEP
    """Those that it may speak; None: all that the server speaks."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A charge point that is in the database now."""

    key: int
    created: bool
    """It wasn't before."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """What became of the request to forget a charge point."""

    deleted: bool
    transactions: int
    """How many it had: why it wasn't deleted, or what went with it."""


def connect(
    q: Queries,
    identity: str,
    ocpp_version: str,
    now: datetime,
    *,
    register_unknown: bool,
    must_prove: bool = False,
    proof: Proof | None = None,
    shown: Shown = NOTHING_SHOWN,
    policy: ProfilePolicy = ASKS_NOTHING,
    other_versions: Sequence[str] = (),
    evse_versions: Collection[str] = (),
) -> Connected | PasswordNeeded | ProofNeeded | NotRegistered | InOtherForm | VersionNotAllowed | Refusal:
    """Record a connection, unless the charge point is unknown and must not be registered, or shows too little.

    `ocpp_version` is the one that it likes best of those that both sides speak, `other_versions` follow in its order:
    the first that an operator lets it speak is taken.
    Where passwords are stored and no certificate shown, nothing is recorded until it's known which one was sent; with
    `must_prove`, nothing at all is of a charge point that proves nothing. `evse_versions` are those with EVSEs.
    """
    known = q.get_credentials(identity=identity)
    if known is None:
        plain = plain_form(identity)
        if plain != identity and q.get_credentials(identity=plain) is not None:
            return InOtherForm(plain)
        if not register_unknown:
            return NotRegistered(q.find_in_other_case(identity=identity))
    hashes = NO_HASHES if known is None else read_hashes(known.password_hash, known.password_hash_candidate)
    profile = judge(policy, identity, known, shown, now, has_password=bool(hashes.all))
    if known is not None and profile in {SecurityProfile.PASSWORD, SecurityProfile.TLS}:
        # Once more after a proof: the passwords may have been changed meanwhile.
        if proof is None or proof.hashes != hashes or (proof.proven is None and hashes.current is not None):
            return PasswordNeeded(hashes, known.authenticated_at is not None)
        if proof.proven is None:  # of a candidate, which it may not have yet
            profile = judge(policy, identity, known, shown, now, has_password=False)
        else:
            passwords.used(q, known.key, hashes, proof.proven)
    if not isinstance(profile, SecurityProfile):
        return profile
    if must_prove and profile is SecurityProfile.NONE:
        return ProofNeeded()
    allowed = None if known is None else read_versions(known.ocpp_versions)
    spoken = choose_version((ocpp_version, *other_versions), allowed)
    if spoken is None:
        return VersionNotAllowed(allowed or ())
    connected = q.connect_charge_point(identity=identity, ocpp_version=spoken, connected_at=now)
    begin_connection(q, connected.key, connected.connection_epoch, now)
    has_evses = spoken in evse_versions
    if has_evses is not (known is not None and known.has_evses):
        change_version(q, connected.key, now, has_evses=has_evses)
    if profile > SecurityProfile.NONE:
        q.stamp_authenticated(key=connected.key, authenticated_at=now)
    if profile > (known.highest_profile if known else SecurityProfile.NONE):
        q.raise_highest_profile(key=connected.key, highest_profile=profile)
    is_first = connected.connection_epoch == 1
    in_other_case = q.find_in_other_case(identity=identity) if is_first else None
    return Connected(connected.key, connected.connection_epoch, in_other_case, profile, spoken)


def is_authenticated(known: ChargePoint) -> bool:
    """Whether it has proven who it is, at the beginning of the connection that it has now or had last."""
    proven_at, connected_at = known.authenticated_at, known.last_connect_at
    return proven_at is not None and connected_at is not None and proven_at >= connected_at


def put_charge_point(q: Queries, identity: str, wanted: Wanted, now: datetime) -> Registered:
    """Register a charge point ahead of time, or change what was set for it before."""
    created = q.register_charge_point(identity=identity, registered_at=now) == 1
    known = q.get_credentials(identity=identity)
    assert known is not None
    if wanted.display_name is not KEEP:
        q.set_display_name(key=known.key, display_name=wanted.display_name)
    if wanted.auto_start is not KEEP:
        q.set_auto_start(key=known.key, auto_start=wanted.auto_start)
    if wanted.rated_power_w is not KEEP:
        q.set_rated_power(key=known.key, rated_power_w=wanted.rated_power_w)
    if wanted.password_hash is not KEEP:
        passwords.replace(q, known.key, wanted.password_hash)
    _set_profile(q, known, wanted)
    if wanted.certificate_serial is not KEEP:
        q.set_certificate_serial(key=known.key, certificate_serial=wanted.certificate_serial)
    if wanted.ocpp_versions is not KEEP:
        q.set_ocpp_versions(key=known.key, ocpp_versions=spell_versions(wanted.ocpp_versions))
    return Registered(known.key, created)


def change_charge_point(q: Queries, occasion: OperatorOccasion, identity: str, wanted: Wanted) -> Result[Registered]:
    """The same, and tell of it."""
    registered = put_charge_point(q, identity, wanted, occasion.at)
    known = q.get_charge_point(identity=identity)
    event = ChargePointSettingsChanged(
        charge_point_id=identity,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        display_name=None if known is None else known.display_name,
    )
    return Result(registered, (event,))


def _set_profile(q: Queries, known: GetCredentialsRow, wanted: Wanted) -> None:
    """What an operator says counts more than what was used before, or nobody could go back."""
    profile, highest = known.security_profile, known.highest_profile
    if wanted.security_profile is not KEEP:
        profile = wanted.security_profile
        highest = min(highest, profile or SecurityProfile.NONE)
    if wanted.password_hash is None and highest < SecurityProfile.CERTIFICATE:
        highest = SecurityProfile.NONE  # nothing is left to prove
    if (profile, highest) != (known.security_profile, known.highest_profile):
        q.set_security_profile(key=known.key, security_profile=profile, highest_profile=highest)


def get_auto_start(q: Queries, identity: str) -> bool | None:
    """What an operator set for its auto-start; None where nothing was set, or where it's unknown."""
    known = q.get_credentials(identity=identity)
    return None if known is None else q.get_auto_start(key=known.key)


def delete_charge_point(
    q: Queries, occasion: OperatorOccasion, identity: str, *, purge: bool
) -> Result[Deletion | None]:
    """Forget a charge point and all that belongs to it; only to `purge` where it has transactions.

    None where there is none. That it's connected is for the caller to check.
    """
    known = q.get_credentials(identity=identity)
    if known is None:
        return Result(None)
    transactions = q.count_transactions_of_charge_point(charge_point_key=known.key)
    if transactions and not purge:
        return Result(Deletion(deleted=False, transactions=transactions))
    event = ChargePointForgotten(
        charge_point_id=identity,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        open_transactions=len(q.find_open_on_charge_point(charge_point_key=known.key)),
    )
    q.delete_charge_point(key=known.key)
    return Result(Deletion(deleted=True, transactions=transactions), (event,))


def disconnect(q: Queries, connected: Connected, now: datetime) -> bool:
    """Record the end of a connection; False, and it changes nothing of now, where a newer one has begun."""
    end_connection(q, connected.key, connected.epoch, now)
    return q.disconnect_charge_point(key=connected.key, connection_epoch=connected.epoch, disconnected_at=now) == 1


def boot(q: Queries, occasion: Occasion, boot: Boot, departures: Sequence[Waiting] = ()) -> Result[None]:
    """Accept a boot: a charge point whose boot was accepted once stays accepted.

    `departures`, of its own from the contract, are from before: they belong to the firmware that it had; at the first
    boot of all, which is the first to say what it is, to this one.
    """
    is_first = bool(departures) and not has_told_firmware(q, occasion.charge_point_id)
    if not is_first:
        write_departures(q, departures)
    weigh_boot(q, occasion)
    q.boot_charge_point(
        key=occasion.charge_point_key,
        booted_at=occasion.at,
        vendor=boot.vendor,
        model=boot.model,
        serial_number=boot.serial_number,
        charge_box_serial_number=boot.charge_box_serial_number,
        firmware_version=boot.firmware_version,
        iccid=boot.iccid,
        imsi=boot.imsi,
        meter_type=boot.meter_type,
        meter_serial_number=boot.meter_serial_number,
    )
    if is_first:
        write_departures(q, departures)
    event = ChargePointBooted(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        vendor=boot.vendor,
        model=boot.model,
        serial_number=boot.serial_number,
        firmware_version=boot.firmware_version,
    )
    return Result(None, (event,))


def report(
    q: Queries, occasion: Occasion, kind: ReportKind, status: str, request_id: int | None = None
) -> Result[None]:
    """Keep how far a charge point is with diagnostics, firmware or a log."""
    q.put_report(
        charge_point_key=occasion.charge_point_key,
        kind=kind,
        status=status,
        request_id=request_id,
        reported_at=occasion.at,
    )
    event = ReportReceived(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        kind=kind.value,
        status=status,
        request_id=request_id,
    )
    return Result(None, (event,))


def security_event(
    q: Queries, occasion: Occasion, event_type: str, occurred_at: datetime, tech_info: str | None
) -> Result[None]:
    """Store a security event; a repeat changes nothing and publishes nothing."""
    added = q.add_security_event(
        charge_point_key=occasion.charge_point_key,
        type=event_type,
        occurred_at=occurred_at,
        tech_info=tech_info or "",
        digest=digest_of(f"{event_type}\n{tech_info or ''}"),
        received_at=occasion.at,
    )
    if not added:
        return Result(None)
    left_out: tuple[LeftOut, ...] = ()
    if q.count_security_events(charge_point_key=occasion.charge_point_key) > bounds.SECURITY_EVENTS:
        q.drop_oldest_security_event(charge_point_key=occasion.charge_point_key)
        left_out = (LeftOut(Over.OLDEST_DROPPED, "", "a security event", ""),)
    event = SecurityEventReceived(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        type=event_type,
        occurred_at=occurred_at,
        tech_info=tech_info,
    )
    return Result(None, (event,), left_out=left_out)
