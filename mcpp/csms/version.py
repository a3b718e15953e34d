"""The object in which an OCPP version hands over all of itself, and that version as one server speaks it.

A version's models take up to 0.3 s of CPU to import, so it's loaded when a charge point first speaks it; what is
asked before that stands in a `KnownVersion`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Generic, TypeAlias, TypeVar

from pydantic import BaseModel, JsonValue

from mcpp.csms import answers
from mcpp.csms.answers import AnyMeaning
from mcpp.csms.buttons import Buttons, KeyChange
from mcpp.csms.calls import Answer, CallRouter
from mcpp.csms.certificates import CertificateOperations
from mcpp.csms.decoding import SubjectReader, decode_response, subject_of
from mcpp.csms.inquiries import AskTransaction
from mcpp.csms.live import Exchange, LiveChargePoints
from mcpp.csms.offers import Offer
from mcpp.csms.operations import Operations, PrepareStart, TransactionIds, Transactions
from mcpp.csms.rewrites import rewrite
from mcpp.csms.services import Services
from mcpp.csms.vocabulary import Vocabulary
from mcpp.domain.assignment import Content
from mcpp.ocppj.actions import AnyAction, Res
from mcpp.ocppj.errors import ErrorCode
from mcpp.ocppj.flow import Flow, Peer, Subject
from mcpp.ocppj.frames import FRAMING_16, Call, Framing, Send
from mcpp.ocppj.readers import Repairs
from mcpp.storage.writer import Writer
from mcpp_generated.db.enums import UnmatchedKind
from mcpp_generated.db.queries import Queries

SyncLocalList: TypeAlias = Callable[[str], Awaitable[Exchange[BaseModel]]]
"""Brings the local list of a charge point, by its identity, in line with the stored tags."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """An OCPP version: its contract, and what its room adds to it."""

    actions: Mapping[str, AnyAction]
    """Every action of the version by its name."""
    handlers: Sequence[Callable[[CallRouter], None]]
    """Each routes the CALLs of one profile or functional block."""
    repairs: Repairs
    """What it adds to the rules by which a payload that breaks the contract is read."""
    read_subject: SubjectReader
    answers: Mapping[str, AnyMeaning]
    """What answers to our CALLs mean, by action; one that isn't there means nothing."""
    new_password: Callable[[BaseModel], str | None]
    """The password for its basic authentication that a request of ours gives a charge point."""
    remote_stop: Callable[[TransactionIds], tuple[AnyAction, BaseModel]]
    """The CALL that asks to stop a transaction: its action and its request."""
    operations: Callable[[LiveChargePoints, Transactions, PrepareStart], Operations]
    certificate_operations: Callable[[LiveChargePoints], CertificateOperations]
    local_list_sync: Callable[[Writer[Queries], LiveChargePoints, Callable[[], datetime]], SyncLocalList]
    charging_profile: type[BaseModel]
    """What is stored by a name, for commands to refer to."""
    ask_transaction: Callable[[LiveChargePoints], AskTransaction] | None = None
    """Asks whether a transaction still runs; None where the version has no such question (1.6)."""
    read_unmatched: Callable[[UnmatchedKind, str], Content]
    """Reads the stored payload of an unmatched message."""


@dataclass(frozen=True, kw_only=True)
class KnownVersion:
    """An OCPP version that may be spoken, by what is known of it without its models."""

    name: str
    """As shown to people, such as `1.6`."""
    subprotocol: str
    """As negotiated in the WebSocket handshake, such as `ocpp1.6`."""
    calls: frozenset[str]
    """The actions that a charge point may send."""
    commands: Mapping[str, str]
    """The actions that a central system may send, each with its profile or functional block."""
    error_codes: Mapping[ErrorCode, str]
    """How it spells them in a CALLERROR."""
    counted_error_codes: Mapping[str, str]
    """Error codes as charge points spell them, each with the one that it is counted as."""
    opaque: Mapping[str, frozenset[str]]
    """The actions whose messages have values that may be secret though nothing says so: configuration, vendors' data.

    Each with the fields, without list indexes, whose values can be shown all the same.
    """
    vocabulary: Vocabulary
    framing: Framing = FRAMING_16
    """In what its frames differ from those of others."""
    has_evses: bool = False
    """Connectors are numbered within EVSEs, and a charge point gives its transactions ids of its own (2.0.1)."""
    buttons: Buttons = field(default_factory=dict)
    """What the pages' buttons ask of charge points that speak it."""
    key_change: KeyChange | None = None
    """How the pages change a key of such a charge point's configuration."""
    import_room: Callable[[], Version]
    """Imports all of it; the second time that costs nothing."""


T_co = TypeVar("T_co", covariant=True)


class ByVersion(Mapping[str, T_co], Generic[T_co]):
    """Something of each version, by its name, made when it's first asked for."""

    def __init__(self, versions: Sequence[KnownVersion], make: Callable[[Version], T_co]) -> None:
        self._versions = {version.name: version for version in versions}
        self._make = make
        self._made: dict[str, T_co] = {}

    def __getitem__(self, name: str) -> T_co:
        if name not in self._made:
            self._made[name] = self._make(self._versions[name].import_room())
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._versions)

    def __len__(self) -> int:
        return len(self._versions)


class SpokenVersion:
    """A version as one server speaks it (implements mcpp.csms.dialect.Dialect)."""

    def __init__(self, known: KnownVersion, services: Services) -> None:
        self.known = known
        self.version = known.name
        self.subprotocol = known.subprotocol
        self.framing = known.framing
        self.handle: Callable[[Flow, Call | Send], Answer] = self._handle_first
        self._services = services
        self._loading = Lock()
        self._loaded: tuple[Version, CallRouter] | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether it can be spoken at once (see Dialect)."""
        return self._loaded is not None

    def load(self) -> None:
        """Import its models and handlers (see Dialect)."""
        with self._loading:
            if self._loaded is None:
                version = self.known.import_room()
                router = CallRouter(self._services, version.actions, version.repairs, version.read_subject)
                for register in version.handlers:
                    register(router)
                self._loaded = version, router
                self.handle = router.dispatch

    @property
    def actions(self) -> Mapping[str, AnyAction]:
        """Every action of the version by its name (see Dialect)."""
        return self._version.actions

    @property
    def handled(self) -> frozenset[str]:
        """The names of the actions that have a handler."""
        return self._room[1].handled

    @property
    def remote_stop(self) -> Callable[[TransactionIds], tuple[AnyAction, BaseModel]]:
        """The CALL that asks to stop a transaction."""
        return self._version.remote_stop

    @property
    def _version(self) -> Version:
        return self._room[0]

    @property
    def _room(self) -> tuple[Version, CallRouter]:
        if self._loaded is None:
            self.load()
        assert self._loaded is not None, "it's loaded now"
        return self._loaded

    def _handle_first(self, flow: Flow, message: Call | Send) -> Answer:
        self.load()
        return self.handle(flow, message)

    async def prepare(self, action: AnyAction, payload: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """A command's payload with what the contract leaves to the central system (see Dialect)."""
        return await rewrite(self._services.writer, action, payload)

    def decode_response(self, flow: Flow, response: type[Res], payload: bytes) -> Res:
        """The typed response to a CALL of ours (see Dialect)."""
        return decode_response(flow, response, payload, self._version.repairs, self._services.now)

    def subject(self, request: BaseModel) -> Subject:
        """What a CALL is about (see Dialect)."""
        return subject_of(request, self._version.read_subject)

    def offer(self, peer: Peer, request: BaseModel) -> Offer | None:
        """The offer of a password that a CALL is (see Dialect)."""
        password = self._version.new_password(request)
        make = self._services.offer_password
        return None if password is None or make is None else make(peer.key, password)

    def answered(
        self, flow: Flow, request: BaseModel, response: BaseModel, offer: Offer | None = None
    ) -> Awaitable[None] | None:
        """Apply what an answer means (see Dialect)."""
        meaning_of = self._version.answers.get(flow.action)
        meaning = None if meaning_of is None else meaning_of(request, response)
        return None if meaning is None else answers.apply(self._services, flow, meaning, offer)

    def spell(self, code: ErrorCode) -> str:
        """The code as this version writes it."""
        return self.known.error_codes[code]
