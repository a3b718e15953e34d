"""Who may connect, and who is connected: the transport's questions answered from the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from math import ceil

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.domain import charge_points
from mcpp.domain.charge_points import PasswordNeeded, Proof
from mcpp.domain.events import ChargePointConnected, ChargePointDisconnected, Event
from mcpp.domain.security_profiles import ASKS_NOTHING, ProfilePolicy, Refusal, Shown, all_authenticated
from mcpp.ocppj.flow import Peer, new_correlation_id
from mcpp.phrases import Phrase
from mcpp.server.passwords import Passwords, TooManyChecks
from mcpp.server.profile_refusals import profile_refusal
from mcpp.server.reconnect_loops import Origin, ReconnectLoops
from mcpp.server.strangers import FailedLogins, UnknownIdentities
from mcpp.server.versions import EVSE_VERSIONS
from mcpp.storage.pending import WriterClosed
from mcpp.storage.writer import Writer
from mcpp.telemetry.logs.pipeline import get_logger
from mcpp.transport.addresses import counted_as
from mcpp.transport.admission import AdmissionRefused, Admitted, ConnectRequest
from mcpp.transport.charge_point import LiveChargePoint
from mcpp_generated.db.queries import Queries


class Presence:
    """Admits charge points and records when they connect and disconnect."""

    def __init__(
        self,
        writer: Writer[Queries],
        publish: Callable[[Iterable[Event]], None],
        *,
        register_unknown: bool,
        passwords: Passwords,
        now: Callable[[], datetime],
        policy: ProfilePolicy = ASKS_NOTHING,
        unknown_per_hour: int = 200,
    ) -> None:
        """`unknown_per_hour`: how many unknown identities one address may bring."""
        self._policy = policy
        self._writer = writer
        self._passwords = passwords
        self._now = now
        self._publish = publish
        self._register_unknown = register_unknown
        self._failed_logins = FailedLogins()
        self._unknown = UnknownIdentities(unknown_per_hour)
        self._loops = ReconnectLoops()

    async def admit(self, request: ConnectRequest) -> Admitted | AdmissionRefused:
        """Admit a known charge point that has shown its password, if it has one (OCPP-J 1.6 §6.2).

        An unknown one is registered where registration is open; identities are compared with regard to letter case, and
        one that differs from a known one in nothing else isn't registered, or refused, without a word.
        """
        if not await self._loops.slow_down(request.identity, request.remote):
            why = Phrase("a newer attempt has come; two devices seem to use this identity: give each its own")
            return _held_back(why, 60)
        address = counted_as(request.remote)
        may_register = None
        proof: Proof | None = None
        while True:
            found = await self._writer.submit_keeping(
                charge_points.connect,
                request.identity,
                request.ocpp_versions[0],
                self._now(),
                register_unknown=bool(may_register),
                must_prove=request.must_prove,
                proof=proof,
                shown=Shown(request.encrypted, request.certificate),
                policy=self._policy,
                other_versions=request.ocpp_versions[1:],
                evse_versions=EVSE_VERSIONS,
            )
            if isinstance(found, Refusal):
                return profile_refusal(found)
            match found:
                case charge_points.NotRegistered():
                    if may_register is None:
                        # Counted before it's registered: many may come at once.
                        counted = request.must_prove or self._unknown.take(request.identity, address)
                        if not counted:
                            return _too_many_unknown(self._unknown.wait(address))
                        may_register = self._register_unknown
                        if may_register:
                            continue
                    return AdmissionRefused(
                        HTTPStatus.NOT_FOUND, _not_registered(found), ConnectionOutcome.UNKNOWN_CHARGE_POINT
                    )
                case charge_points.InOtherForm():
                    text = Phrase(
                        "this identity differs from {known_as} in Unicode form only: type it anew",
                        known_as=found.known_as,
                    )
                    return AdmissionRefused(HTTPStatus.BAD_REQUEST, text, ConnectionOutcome.BAD_IDENTITY)
                case charge_points.VersionNotAllowed(allowed):
                    text = Phrase(
                        "this charge point may speak these versions of OCPP only: {versions}",
                        versions=", ".join(allowed),
                    )
                    return AdmissionRefused(HTTPStatus.BAD_REQUEST, text, ConnectionOutcome.UNKNOWN_SUBPROTOCOL)
                case charge_points.ProofNeeded():
                    return _too_many_connections()
                case charge_points.Connected():
                    if found.in_other_case is not None:
                        _warn_of_other_case(request, found.in_other_case)
                    peer = Peer(found.key, request.identity)
                    return Admitted(peer, found.epoch, found.ocpp_version, found.security_profile)
                case charge_points.PasswordNeeded():
                    proven_or_refused = await self._compare(request, address, found)
                    if isinstance(proven_or_refused, AdmissionRefused):
                        return proven_or_refused
                    proof = Proof(found.hashes, proven_or_refused)

    async def chargers_authenticated(self) -> bool:
        """Whether nobody connects without proving who it is."""
        return await self._writer.submit(all_authenticated, self._policy, register_unknown=self._register_unknown)

    async def _compare(
        self, request: ConnectRequest, address: str | None, needed: PasswordNeeded
    ) -> str | AdmissionRefused | None:
        """The hash of the password that was sent, or why it doesn't do; None where it need not."""
        identity, password = request.identity, request.password
        if password is None or request.user != identity:
            if needed.optional:
                return None
            if password is None:
                return _unauthorized(Phrase("this charge point must send its password by HTTP basic authentication"))
            return _unauthorized(
                Phrase("the user of the HTTP basic authentication must be the charge point's identity")
            )
        proven = self._passwords.recognise(identity, needed.hashes.all, password)
        if proven is not None:
            return proven
        wait = self._failed_logins.wait(identity, address, is_known=needed.authenticated)
        if wait:
            why = Phrase("too many wrong passwords were sent from this address")
            return None if needed.optional else _held_back(why, wait)
        self._failed_logins.attempted(identity, address)
        try:
            proven = await self._passwords.find(identity, request.remote, needed.hashes.all, password)
        except BaseException as error:
            self._failed_logins.succeeded(identity, address)
            if not isinstance(error, TooManyChecks):
                raise
            why = Phrase("too many charge points are logging in just now")
            return _held_back(why, 5, HTTPStatus.SERVICE_UNAVAILABLE)
        if proven is not None:
            self._failed_logins.succeeded(identity, address)
        elif not needed.optional:
            self._failed_logins.failed(address)
            return _unauthorized(Phrase("the password is wrong"))
        return proven

    def connected(self, charge_point: LiveChargePoint) -> None:
        """Publish a connection; `admit` has stored it."""
        event = ChargePointConnected(
            charge_point_id=charge_point.identity,
            correlation_id=new_correlation_id(),
            at=self._now(),
            ocpp_version=charge_point.ocpp_version,
            remote_address=charge_point.remote,
            has_evses=charge_point.ocpp_version in EVSE_VERSIONS,
        )
        self._publish((event,))

    def replaced(self, before: LiveChargePoint, after: LiveChargePoint) -> None:
        """Note that a connection has taken the place of one that stood."""
        self._loops.taken_over(after.identity, Origin(before.remote, before.path), Origin(after.remote, after.path))

    def reconnect_loops(self) -> dict[str, float]:
        """The identities that two devices seem to use, each with since when, by the monotonic clock."""
        return self._loops.going_on()

    def disconnected(self, charge_point: LiveChargePoint) -> None:
        """Record the end of a charge point's only connection and publish it, unless a newer one has begun elsewhere."""
        now = self._now()
        connected = charge_points.Connected(charge_point.peer.key, charge_point.epoch)
        event = ChargePointDisconnected(
            charge_point_id=charge_point.identity, correlation_id=new_correlation_id(), at=now
        )
        with suppress(WriterClosed):
            ended = self._writer.submit_about(connected.key, charge_points.disconnect, connected, now)
            ended.then(lambda is_newest: self._publish((event,)) if is_newest else None)


def _not_registered(unknown: charge_points.NotRegistered) -> Phrase:
    if unknown.in_other_case is None:
        return Phrase("this charge point is not registered")
    return Phrase(
        "this charge point is not registered; known as {known_as}, in another letter case",
        known_as=unknown.in_other_case,
    )


def _warn_of_other_case(request: ConnectRequest, known_as: str) -> None:
    get_logger().warning(
        "identity_in_other_case",
        category="system",
        charge_point_id=request.identity,
        known_as=known_as,
        remote_address=request.remote,
    )


def _unauthorized(text: Phrase) -> AdmissionRefused:
    return AdmissionRefused(HTTPStatus.UNAUTHORIZED, text, ConnectionOutcome.UNAUTHORIZED)


def _held_back(why: Phrase, wait: float, status: HTTPStatus = HTTPStatus.TOO_MANY_REQUESTS) -> AdmissionRefused:
    seconds = ceil(wait)
    text = Phrase("{why}; come again in {seconds} s", why=why, seconds=seconds)
    return AdmissionRefused(status, text, ConnectionOutcome.HELD_BACK, retry_after=seconds)


def _too_many_unknown(wait: float) -> AdmissionRefused:
    seconds = ceil(wait)
    text = Phrase(
        "this address has brought too many unknown identities (unknown-identities-per-hour); come again in "
        "{seconds} s, or have the operator register this one",
        seconds=seconds,
    )
    status = HTTPStatus.TOO_MANY_REQUESTS
    return AdmissionRefused(status, text, ConnectionOutcome.TOO_MANY_UNKNOWN, retry_after=seconds)


def _too_many_connections() -> AdmissionRefused:
    text = Phrase(
        "this address has too many connections already (max-connections-per-address), and this charge point has proven "
        "by no password that it's none of them; come again in 60 s, or have the operator give it a password"
    )
    status = HTTPStatus.TOO_MANY_REQUESTS
    return AdmissionRefused(status, text, ConnectionOutcome.TOO_MANY_CONNECTIONS, retry_after=60)
