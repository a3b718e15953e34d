"""The certificate authority within the server: put together, and what it does by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from mcpp.certificates.desk import SigningDesk
from mcpp.certificates.files import SERVER_CERTIFICATE, AuthorityUnusable
from mcpp.domain import certificates
from mcpp.ocppj.errors import CommandError
from mcpp.server.chore import Chore
from mcpp.storage.pending import WriteFailed
from mcpp.storage.writer import Writer
from mcpp.telemetry.logs.pipeline import get_logger
from mcpp_generated.db.models import Certificate
from mcpp_generated.db.queries import Queries

INTERVAL: Final = 60.0
"""Seconds between two looks at what ends and what waits."""

ONCE_A_DAY: Final = timedelta(days=1)

KEPT: Final = timedelta(days=365)
"""How long a certificate is kept after its end."""


class CertificateKeeper(Chore):
    """Has certificates renewed before they end, says which can't be, and goes on with roll-outs that wait for time."""

    def __init__(
        self,
        desk: SigningDesk,
        writer: Writer[Queries],
        now: Callable[[], datetime],
        interval: float = INTERVAL,
    ) -> None:
        super().__init__(interval)
        self._desk = desk
        self._writer = writer
        self._now = now
        self._tried: dict[str, datetime] = {}
        """When a charge point was last asked to renew, or a certificate last warned of."""
        self._renewals: set[asyncio.Task[None]] = set()

    async def finish(self) -> None:
        """Give up the renewals that are under way."""
        for task in self._renewals:
            task.cancel()

    async def work(self) -> None:
        """Ask whose certificate ends soon, at most once a day each; one that isn't connected is asked when it is."""
        self._desk.look_again()
        now = self._now()
        self._warn_of_own(now)
        with suppress(WriteFailed):
            for certificate in await self._writer.submit(certificates.list_due, now, self._desk.renewal):
                if self._is_turn(certificate.charge_point_id, now, _patience(certificate, self._desk.renewal)):
                    self._begin(certificate, now)
            if self._is_turn("", now, ONCE_A_DAY):
                await self._writer.submit(certificates.forget_old, now - KEPT)
                self._tried[""] = now

    def _begin(self, certificate: Certificate, now: datetime) -> None:
        """Beside the loop: a charge point may take its time to answer."""
        self._tried[certificate.charge_point_id] = now
        task = asyncio.get_running_loop().create_task(self._renew(certificate))
        self._renewals.add(task)
        task.add_done_callback(self._renewals.discard)

    async def _renew(self, certificate: Certificate) -> None:
        identity = certificate.charge_point_id
        try:
            verdict = await self._desk.renew(certificate)
        except CommandError as error:
            self._not_renewed(certificate, str(error) or type(error).__name__)
            return
        if verdict is None:
            self._tried.pop(identity, None)
        elif not verdict.accepted:
            self._not_renewed(certificate, f"it answered {verdict.word}")

    def _not_renewed(self, certificate: Certificate, reason: str) -> None:
        get_logger().warning(
            "certificate_not_renewed",
            category="system",
            charge_point_id=certificate.charge_point_id,
            serial_number=certificate.serial_number,
            expires_at=certificate.expires_at,
            error=reason,
        )

    def _warn_of_own(self, now: datetime) -> None:
        if not self._desk.store.exists or not self._is_turn("\0", now, ONCE_A_DAY):
            return
        self._tried["\0"] = now
        try:
            ending = own_ending(self._desk, now)
        except AuthorityUnusable as error:
            get_logger().error("certificate_authority_unusable", category="system", error=str(error))
            return
        for which, end in ending.items():
            get_logger().warning("certificate_ends", category="system", certificate=which, expires_at=end)

    def _is_turn(self, subject: str, now: datetime, patience: timedelta) -> bool:
        last = self._tried.get(subject)
        # A clock that was set back mustn't keep anybody waiting.
        return last is None or not timedelta(0) <= now - last < patience


def own_ending(desk: SigningDesk, now: datetime) -> dict[str, datetime]:
    """The authority's certificate and the one that it made for the listener, where they end soon: by hand renewed.

    Raises AuthorityUnusable.
    """
    store = desk.store
    if not store.exists:
        return {}
    ends = {"authority": store.get().expires_at}
    server = store.directory / SERVER_CERTIFICATE
    if server.exists():
        from mcpp.certificates.authority import certificate_end  # as the authority, see its store

        ends["server"] = certificate_end(server)
    return {which: end for which, end in ends.items() if end - now <= desk.renewal}


def _patience(certificate: Certificate, renewal: timedelta) -> timedelta:
    """How long until the next try: a day, less where the whole time of renewal is short."""
    assert certificate.expires_at is not None
    assert certificate.issued_at is not None
    lifetime = certificate.expires_at - certificate.issued_at
    return min(ONCE_A_DAY, certificates.renewal_time(lifetime, renewal) / 4)
