"""The desk of the certificate authority: requests in, decisions, certificates out, and roll-outs.

What is under way stands in the database. For each charge point that has something to get there is one task at a time,
which does what the database says is next, until that is the charge point's turn. It begins anew with each event that
may have brought the charge point's turn to an end: so a restart of the server, or a lost connection, costs no more
than the step that was under way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, TypeVar

from mcpp.certificates.files import AuthorityUnusable
from mcpp.certificates.revoked import Revoked
from mcpp.certificates.store import AuthorityStore
from mcpp.csms.certificates import CertificateOperations, TakeSigningRequest, Verdict
from mcpp.csms.live import LiveChargePoints
from mcpp.domain import certificates, roll_out
from mcpp.domain.certificates import Signed, SigningPolicy
from mcpp.domain.errors import Conflict
from mcpp.domain.events import (
    CertificateInstalled,
    CertificateIssued,
    CertificateRequested,
    ChargePointBooted,
    ChargePointConnected,
    ChargePointForgotten,
    Event,
)
from mcpp.domain.occasion import Occasion, OperatorOccasion, Result
from mcpp.domain.roll_out import Deliver, Perform, Task, Wait
from mcpp.ocppj.errors import (
    CallRefused,
    CommandError,
    ConnectionLost,
    NotConnected,
    QueueFull,
)
from mcpp.ocppj.flow import active_correlation_id
from mcpp.phrases import Phrase, phrase_of, reworded
from mcpp.storage.pending import WriteFailed
from mcpp.storage.writer import Writer
from mcpp_generated.db.enums import RollOutStage, StepState
from mcpp_generated.db.models import Certificate, RollOutStep
from mcpp_generated.db.queries import Queries

if TYPE_CHECKING:
    from mcpp.certificates.authority import Authority

P = ParamSpec("P")
T = TypeVar("T")

LONGEST_WINDOW: Final = timedelta(days=1)

_log: Final = logging.getLogger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SigningDesk:
    """What operators, charge points and the clock want of the authority; belongs to the event loop."""

    kinds: tuple[type[Event], ...] = (
        CertificateInstalled,
        CertificateIssued,
        CertificateRequested,
        ChargePointBooted,
        ChargePointConnected,
        ChargePointForgotten,
    )
    """Events that it wants."""

    def __init__(
        self,
        store: AuthorityStore,
        writer: Writer[Queries],
        publish: Callable[[Iterable[Event]], None],
        *,
        live: LiveChargePoints,
        operations: Mapping[str, CertificateOperations],
        revoked: Revoked,
        end_connection: Callable[[str], None],
        url: Callable[[], str],
        organization: str | None,
        lifetime: timedelta,
        renewal: timedelta,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """`operations` are by OCPP version; `end_connection` ends that of the charge point of an identity.

        `url` is where charge points reach this server.
        """
        self.store: Final = store
        self.revoked: Final = revoked
        self.renewal: Final = renewal
        self._writer = writer
        self._publish = publish
        self._live = live
        self._operations = operations
        self._end_connection = end_connection
        self._url = url
        self._organization = organization
        self._lifetime = lifetime
        self._now = now
        self._window_until: datetime | None = None
        self._expecting: set[str] = set()
        """Charge points that have something to get; the others cost nothing."""
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._needing_restart: set[str] = set()
        """Charge points that do what they accepted once they are restarted."""
        self._unanswered: set[str] = set()
        """Charge points that gave no answer to their certificate: it's sent again when they connect or boot."""

    def load(self, expecting: Iterable[str]) -> None:
        """Go on with what was under way when the server ended, once these charge points connect."""
        self._expecting.update(expecting)

    async def close(self) -> None:
        """Give up what is under way; the database has it."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    # Charge points.

    def read_signing_request(self, text: str, request_id: int | None) -> TakeSigningRequest:
        """See `mcpp.csms.certificates.ReadSigningRequest`."""
        from mcpp.certificates.requests import BadSigningRequest, read_signing_request  # as the authority, see store.py

        try:
            asked = read_signing_request(text)
            authority = self._authority()
        except (BadSigningRequest, AuthorityUnusable) as error:
            return partial(certificates.refuse, reason=str(error))
        policy = SigningPolicy(
            organization=self._organization, window_is_open=self.window_until is not None, renewal=self.renewal
        )
        sign = partial(authority.sign_request, lifetime=self._lifetime, now=self._now())
        return partial(certificates.request, asked=asked, policy=policy, sign=sign, request_id=request_id)

    def __call__(self, event: Event) -> None:
        """Go on with the charge point that something happened to."""
        if isinstance(event, ChargePointForgotten):
            self._expecting.discard(event.charge_point_id)
            return
        self._unanswered.discard(event.charge_point_id)
        if isinstance(event, ChargePointConnected):
            self._needing_restart.discard(event.charge_point_id)
        if isinstance(event, CertificateIssued | CertificateRequested | CertificateInstalled):
            self._expecting.add(event.charge_point_id)
        self._serve(event.charge_point_id)

    # Operators.

    async def approve(self, certificate_id: int) -> None:
        """Sign a request that waits; it's sent when its charge point is there.

        Raises Unknown, Conflict, WriteFailed.
        """
        await self._change(certificates.approve, certificate_id, self._sign)

    async def reject(self, certificate_id: int, reason: str | None) -> None:
        """Refuse a request that waits. Raises Unknown, Conflict, WriteFailed."""
        await self._change(certificates.reject, certificate_id, reason)

    async def revoke(self, certificate_id: int, reason: str | None) -> None:
        """Let a certificate count no more, and end its charge point's connection.

        A charge point that has another certificate, or may use a lower profile, comes back by that. Raises Unknown,
        Conflict, WriteFailed.
        """
        gone = await self._change(certificates.revoke, certificate_id, reason)
        if not self.revoked.is_revoked(gone.serial_number):
            self.revoked.add(gone.serial_number)
            self._end_connection(gone.charge_point_id)

    @property
    def window_until(self) -> datetime | None:
        """Until when every good request is signed; None while the window is closed. A restart closes it."""
        until = self._window_until
        return until if until is not None and until > self._now() else None

    def open_window(self, duration: timedelta) -> None:
        """Sign every good request of an authenticated charge point for so long; zero closes the window."""
        self._window_until = self._now() + min(duration, LONGEST_WINDOW)

    async def roll_out(self, identity: str) -> list[RollOutStep]:
        """Bring a charge point to security profile 3, or go on with that. Returns the steps as they are.

        Raises Unknown, Conflict, NotConnected, WriteFailed.
        """
        if not self._live.connected(identity):
            raise NotConnected(identity)
        try:
            self._authority()
        except AuthorityUnusable as error:
            raise Conflict(_unusable(error)) from error
        steps = await self._change(roll_out.begin, identity)
        self._expecting.add(identity)
        self._serve(identity)
        return steps

    # The clock.

    async def renew(self, certificate: Certificate) -> Verdict | None:
        """Have a charge point ask for a new certificate; None where it isn't connected. Raises CommandError."""
        operations = self._operations_of(certificate.charge_point_id)
        return None if operations is None else await operations.ask_for_request(certificate.charge_point_id)

    def look_again(self) -> None:
        """Go on with all that have something to get: time alone may have brought the next step."""
        for identity in self._expecting - self._unanswered:
            self._serve(identity)

    def _sign(self, csr: str) -> Signed:
        try:
            return self._authority().sign_request(csr, self._lifetime, self._now())
        except AuthorityUnusable as error:
            raise Conflict(_unusable(error)) from error

    def _authority(self) -> Authority:
        authority = self.store.get()
        if authority.expires_at <= self._now():
            raise AuthorityUnusable(Phrase("the authority's own certificate has ended"))
        return authority

    # The task of a charge point.

    def _serve(self, identity: str) -> None:
        if identity not in self._expecting:
            return
        if identity in self._tasks:
            self._again.add(identity)
            return
        task = asyncio.get_running_loop().create_task(self._go_on(identity))
        self._tasks[identity] = task
        task.add_done_callback(partial(self._done, identity))

    def _done(self, identity: str, task: asyncio.Task[None]) -> None:
        del self._tasks[identity]
        if not task.cancelled() and (error := task.exception()) is not None:
            task.get_loop().call_exception_handler(
                {"message": f"the certificates of {identity} can't be gone on with", "exception": error}
            )
        elif identity in self._again:
            self._again.discard(identity)
            self._serve(identity)

    async def _go_on(self, identity: str) -> None:
        """Do what is next, until it's the charge point's turn."""
        last: Task | None = None
        while True:
            try:
                task = await self._change(roll_out.next_task, identity, needs_restart=identity in self._needing_restart)
                if task is None:
                    self._expecting.discard(identity)
                    return
                if isinstance(task, Wait) or task == last:
                    return
                if not await self._do(identity, task):
                    return
            except WriteFailed as error:
                _log.error("the certificates of a charge point can't be gone on with: %s", error)
                return
            last = task

    async def _do(self, identity: str, task: Deliver | Perform) -> bool:
        """Whether the charge point answered, so that there is a next step."""
        operations = self._operations_of(identity)
        if operations is None:
            return False
        try:
            if isinstance(task, Deliver):
                await operations.deliver(identity, task.certificate, task.request_id)
                return True
            await self._perform(identity, task, operations)
        except (NotConnected, ConnectionLost, QueueFull):
            return False  # it's done when the charge point is back
        except CommandError as error:
            return await self._failed(identity, task, error)
        except AuthorityUnusable as error:
            await self._settle(identity, task, StepState.FAILED, str(error))
        return True

    async def _perform(self, identity: str, task: Perform, operations: CertificateOperations) -> None:
        match task.stage:
            case RollOutStage.INSTALL_ROOT:
                verdict = await operations.install_root(identity, self._authority().pem)
            case RollOutStage.REQUEST_CERTIFICATE:
                verdict = await operations.ask_for_request(identity)
            case RollOutStage.SECURITY_PROFILE:
                verdict = await operations.raise_profile(identity, roll_out.HIGHEST_PROFILE, self._url())
                if verdict.needs_restart:
                    self._needing_restart.add(identity)
            case _:
                verdict = await operations.restart(identity)
                await self._settle(identity, task, StepState.WAITING, f"it was asked to restart: {verdict.word}")
                return
        await self._settle(identity, task, StepState.DONE if verdict.accepted else StepState.FAILED, verdict.word)

    async def _failed(self, identity: str, task: Deliver | Perform, error: CommandError) -> bool:
        """No answer, or one that is no answer: a certificate is sent again later, a step of a roll-out has failed."""
        if isinstance(task, Perform):
            await self._settle(identity, task, StepState.FAILED, _words(error))
            return True
        if not isinstance(error, CallRefused):
            self._unanswered.add(identity)
            return False
        answer = _words(error)
        await self._change_of(
            task.key, identity, certificates.note_answer, task.certificate, accepted=False, answer=answer
        )
        return True

    async def _settle(self, identity: str, task: Deliver | Perform, state: StepState, answer: str) -> None:
        assert isinstance(task, Perform)
        await self._change_of(task.key, identity, roll_out.settle, task.stage, state, answer)

    def _operations_of(self, identity: str) -> CertificateOperations | None:
        version = self._live.version_of(identity)
        return None if version is None else self._operations[version]

    async def _change(
        self,
        function: Callable[Concatenate[Queries, OperatorOccasion, P], Result[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Have a domain function run on an operator's behalf, and publish its events."""
        occasion = OperatorOccasion(active_correlation_id(), self._now())
        outcome = await self._writer.submit(function, occasion, *args, **kwargs)
        self._publish(outcome.events)
        return outcome.value

    async def _change_of(
        self,
        key: int,
        identity: str,
        function: Callable[Concatenate[Queries, Occasion, P], Result[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The same, on behalf of what is under way for a charge point."""
        occasion = OperatorOccasion(active_correlation_id(), self._now()).about(key, identity)
        outcome = await self._writer.submit(function, occasion, *args, **kwargs)
        self._publish(outcome.events)
        return outcome.value


def _words(error: CommandError) -> str:
    """A failed command for people, bounded: a charge point may have written it."""
    return (str(error) if isinstance(error, CallRefused) else f"{type(error).__name__}: {error}")[:200]


def _unusable(error: AuthorityUnusable) -> str:
    """Why, as pages can translate it."""
    why = phrase_of(error)
    if isinstance(why, Phrase):
        return why
    return reworded(why, "the certificate authority can't be used: “{original}”", original=why)
