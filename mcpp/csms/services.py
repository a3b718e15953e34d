"""What the handlers of all charge points and versions share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final

from mcpp.csms.certificates import ReadSigningRequest, TakeSigningRequest
from mcpp.csms.contracts import Contracts
from mcpp.csms.learning import CardLearning
from mcpp.csms.offers import Offer
from mcpp.domain import certificates
from mcpp.domain.authorization import Authorization, AuthorizationPolicy
from mcpp.domain.cards import CardBook
from mcpp.domain.conformance import ConformanceBook
from mcpp.domain.events import Event
from mcpp.domain.memory import Memory
from mcpp.domain.questions import (
    AuthorizationQuestion,
    ContractCertificateAnswer,
    ContractCertificateQuestion,
    DataTransferAnswer,
    DataTransferQuestion,
)
from mcpp.domain.stamps import StampBook
from mcpp.storage.writer import Writer
from mcpp_generated.db.queries import Queries

_utc_now: Final = partial(datetime.now, UTC)
"""Without a frame of Python's: it runs for every message."""


def _no_authority(_: str, __: int | None) -> TakeSigningRequest:
    return partial(certificates.refuse, reason="there is no certificate authority here")


@dataclass(slots=True)
class Services:
    """The way to the database and to the subscribers of events, and how strict the site is."""

    writer: Writer[Queries]
    publish: Callable[[Iterable[Event]], None]
    wanted: Mapping[type[Event], bool]
    """By kind, whether anybody wants such events; one that nobody wants isn't made."""
    policy: AuthorizationPolicy
    heartbeat_interval: int
    """Seconds."""
    memory: Memory
    """What units of work remember: the very one that the writer has, for its thread alone."""
    stamps: StampBook = field(default_factory=StampBook)
    departures: ConformanceBook = field(default_factory=ConformanceBook)
    """Of charge points from the contract; a boot has those before it written with the firmware that was."""
    cards: CardBook = field(default_factory=CardBook)
    now: Callable[[], datetime] = _utc_now
    offer_password: Callable[[int, str], Offer] | None = None
    """Makes an offer of a charge point's key and the password that a CALL will give it."""
    read_signing_request: ReadSigningRequest = _no_authority
    """Of the built-in certificate authority."""
    contracts: Contracts | None = None
    """Checks certificates of contracts; None: none is trusted."""
    learning: CardLearning = field(init=False)
    """The cards that are being learnt."""
    ask_authorize: Callable[[AuthorizationQuestion], Awaitable[Authorization | None]] | None = None
    """A site's own verdict, None for the database's; there only where somebody has verdicts."""
    ask_data_transfer: Callable[[DataTransferQuestion], Awaitable[DataTransferAnswer | None]] | None = None
    """A site's own answer to a vendor's message; there only where somebody answers."""
    ask_contract_certificate: (
        Callable[[ContractCertificateQuestion], Awaitable[ContractCertificateAnswer | None]] | None
    ) = None
    """A contract's certificate by its provider; there only where somebody can get one."""

    def __post_init__(self) -> None:
        self.learning = CardLearning(self.now, self.publish, self.policy)
