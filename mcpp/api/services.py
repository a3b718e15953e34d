"""What the HTTP side is built from; the composition root provides it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Annotated, Concatenate, ParamSpec, Protocol, TypeVar, cast

from fastapi import Depends, Request
from pydantic import BaseModel, JsonValue

from mcpp.api.credentials import CredentialStore
from mcpp.api.event_stream import EventStream
from mcpp.api.failed_logins import FailedLogins
from mcpp.api.installation_models import Plugin, Setting
from mcpp.certificates.desk import SigningDesk
from mcpp.clock import Clock
from mcpp.csms.buttons import Buttons, KeyChange
from mcpp.csms.commands import Commands
from mcpp.csms.frames import FrameBook
from mcpp.csms.learning import CardLearning
from mcpp.csms.live import Exchange, LiveChargePoints
from mcpp.csms.refused import RefusedConnections
from mcpp.domain.assignment import ReadContent
from mcpp.domain.events import Event
from mcpp.domain.occasion import OperatorOccasion, Result
from mcpp.files.store import FileStore
from mcpp.ocppj.flow import active_correlation_id
from mcpp.reads.attention_search import AttentionSources
from mcpp.reads.booked import BookedEnergy
from mcpp.reads.charge_points import ChargePoints
from mcpp.reads.connect import ConnectInfo
from mcpp.reads.live import LiveReadings
from mcpp.reads.server_state import ServerState
from mcpp.reads.summary import Summary, read_summary
from mcpp.storage.copies import DatabaseCopies
from mcpp.storage.engine import ReaderPool
from mcpp.storage.writer import Writer
from mcpp_generated.db.queries import Queries

P = ParamSpec("P")
T = TypeVar("T")


class LogControl(Protocol):
    """What log lines hold; it may be changed while the server runs."""

    @property
    def level(self) -> str:
        """Lines of this level and of the graver ones are written."""
        ...

    @property
    def payloads(self) -> bool:
        """Whether message lines hold the whole payload."""
        ...

    def change(self, *, level: str | None, payloads: bool | None) -> None:
        """Change what is given."""
        ...


class TellStory(Protocol):
    """Tells the story of a transaction's session."""

    async def __call__(self, transaction_id: int, *, with_log: bool = False) -> Mapping[str, JsonValue] | None:
        """By its id; None where it's unknown. What the database has is told in phrases; what the log has isn't."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServices:
    """The parts of the server that requests are answered from."""

    readers: ReaderPool
    writer: Writer[Queries]
    publish: Callable[[Iterable[Event]], None]
    events: EventStream
    live: LiveChargePoints
    disconnect: Callable[[str], None]
    """Ends a charge point's connection, by identity, if it has one."""
    commands: Commands
    charge_points: ChargePoints
    live_readings: LiveReadings
    refused: RefusedConnections
    frames: FrameBook
    """The last frames of each charge point."""
    connect_info: Callable[[], ConnectInfo]
    """What to type into a charger, as it holds now."""
    sync_local_list: Callable[[str], Awaitable[Exchange[BaseModel]]]
    """Bring a charge point's local list in line with the stored tags; raises as a command, Unknown and Conflict."""
    charging_profiles: Mapping[str, type[BaseModel]]
    """The charging profile of each OCPP version."""
    read_unmatched: ReadContent
    tell_story: TellStory
    check_profile: Callable[[int], None]
    """Raises ValueError, with what is missing, where no charge point could connect by this security profile."""
    ocpp_versions: Sequence[str]
    """That this server speaks."""
    buttons: Mapping[str, Buttons]
    """What the pages' buttons ask, by version."""
    key_changes: Mapping[str, KeyChange]
    """How the pages change a key of the configuration, by version."""
    server_state: Callable[[], ServerState]
    """How the server itself is."""
    hash_password: Callable[[str], Awaitable[str]]
    check_readiness: Callable[[], Awaitable[Mapping[str, str]]]
    """Each check's name with `ok` or what is wrong."""
    render_metrics: Callable[[str], tuple[str, AsyncIterator[bytes]]]
    """Content type and pieces of a scrape, by the Accept header."""
    log: LogControl
    clock: Clock
    learning: CardLearning
    """The cards that are being learnt."""
    credentials: CredentialStore
    copies: DatabaseCopies
    settings: Sequence[Setting] = ()
    """The effective ones, secrets masked."""
    plugins: Callable[[], Sequence[Plugin]] = tuple
    """The enabled ones, as they are at this moment."""
    failed_logins: FailedLogins = field(default_factory=FailedLogins)
    booked: BookedEnergy = field(default_factory=BookedEnergy)
    attention: AttentionSources = field(default_factory=AttentionSources)
    """What may need a person, beside what the database knows."""
    files: FileStore | None = None
    """None where the listener for files is off."""
    certificates: SigningDesk | None = None
    """None where a server is put together without the certificate authority."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by `stop`: what waits for others should end by itself."""

    async def summary(self, zone: tzinfo | None) -> Summary:
        """The whole at a glance; `zone` says whose days these are, None for the machine's."""
        return await read_summary(
            self.readers, self.live, self.live_readings, self.booked, self.attention, zone, self.clock.now()
        )

    def stop(self) -> None:
        """To be called before the listener stops, so that it needn't wait for streams and chargers."""
        self.stopping.set()
        self.events.close()

    async def change(
        self,
        function: Callable[Concatenate[Queries, OperatorOccasion, P], Result[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Have a domain function run on a person's behalf, and publish its events. Raises what it raises."""
        occasion = OperatorOccasion(active_correlation_id(), self.clock.now())
        outcome = await self.writer.submit(function, occasion, *args, **kwargs)
        self.publish(outcome.events)
        return outcome.value


async def _of_app(request: Request) -> ApiServices:
    return cast("ApiServices", request.app.state.services)


FromServices = Annotated[ApiServices, Depends(_of_app)]
