"""What the HTTP side is built from; the composition root provides it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Concatenate, ParamSpec, Protocol, TypeVar, cast

from fastapi import Depends, Request
from pydantic import BaseModel, JsonValue

from mcpp.api.event_stream import EventStream
from mcpp.certificates.desk import SigningDesk
from mcpp.clock import Clock
from mcpp.csms.commands import Commands
from mcpp.csms.live import Exchange, LiveChargePoints
from mcpp.domain.assignment import ReadContent
from mcpp.domain.events import Event
from mcpp.domain.occasion import OperatorOccasion, Result
from mcpp.files.store import FileStore
from mcpp.ocppj.flow import active_correlation_id
from mcpp.reads.charge_points import ChargePoints
from mcpp.reads.live import LiveReadings
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
    sync_local_list: Callable[[str], Awaitable[Exchange[BaseModel]]]
    """Bring a charge point's local list in line with the stored tags; raises as a command, Unknown and Conflict."""
    charging_profiles: Mapping[str, type[BaseModel]]
    """The charging profile of each OCPP version."""
    read_unmatched: ReadContent
    tell_story: Callable[[int], Awaitable[Mapping[str, JsonValue] | None]]
    """The story of a transaction's session, by its id; None where it's unknown."""
    check_profile: Callable[[int], None]
    """Raises ValueError, with what is missing, where no charge point could connect by this security profile."""
    hash_password: Callable[[str], Awaitable[str]]
    check_readiness: Callable[[], Awaitable[Mapping[str, str]]]
    """Each check's name with `ok` or what is wrong."""
    render_metrics: Callable[[str], tuple[str, AsyncIterator[bytes]]]
    """Content type and pieces of a scrape, by the Accept header."""
    log: LogControl
    clock: Clock
    files: FileStore | None = None
    """None where the listener for files is off."""
    certificates: SigningDesk | None = None
    """None where a server is put together without the certificate authority."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by `stop`: what waits for others should end by itself."""

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
