"""The files listener over real sockets, a real directory and a real database; only the clock is ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from mcpp.api.http_server import HttpServer
from mcpp.domain.charge_points import Wanted, put_charge_point
from mcpp.domain.events import Event
from mcpp.files.listener import create_files_app
from mcpp.files.store import FileStore
from mcpp.reads.files import UploadQuery, list_uploads
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.sqlite.readers import SqliteReaderPool
from mcpp.storage.writer import Writer
from mcpp_generated.db.models import UploadRecord
from mcpp_generated.db.queries import Queries
from mcpp_generated.db.sqlite.queries import SqliteQueries

HOST = "127.0.0.1"
START = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
LIFETIME = timedelta(hours=2)
LIMIT = 2 << 20
FIRMWARE = bytes(range(256)) * 2000


async def chunks_of(data: bytes, size: int = 50_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Site:
    """A running listener, its store, and a client that speaks to it."""

    store: FileStore
    writer: Writer[Queries]
    readers: SqliteReaderPool
    port: int
    directory: Path
    clock: Clock
    http: httpx.AsyncClient
    events: list[Event] = field(default_factory=list)

    async def register(self, identity: str = "CP-1") -> None:
        await self.writer.submit(put_charge_point, identity, Wanted(), START)

    async def firmware_url(self, data: bytes = FIRMWARE, name: str = "v1.bin") -> str:
        """A link to a firmware image that was just stored."""
        await self.store.store_firmware(name, chunks_of(data))
        return (await self.store.link_firmware(name)).url

    async def upload_url(self, identity: str = "CP-1") -> str:
        await self.register(identity)
        return (await self.store.link_upload(identity)).url

    async def uploads(self) -> list[UploadRecord]:
        """What was put, the newest first."""
        return (await list_uploads(self.readers, UploadQuery())).items

    async def contents(self) -> dict[str, bytes]:
        """What was put, by its name."""
        found = {}
        for upload in await self.uploads():
            opened = await self.store.find_upload(upload.id)
            assert opened is not None
            found[upload.name] = opened[1].read_bytes()
        return found

    def on_disk(self) -> list[str]:
        """Every file below the directory's parent but the database."""
        return sorted(
            path.name
            for path in self.directory.parent.rglob("*")
            if path.is_file() and not path.name.startswith("mcpp.db")
        )

    async def until_on_disk(self, number: int) -> None:
        async with asyncio.timeout(10):
            while len(self.on_disk()) != number:
                await asyncio.sleep(0)

    async def raw(self, request: bytes) -> bytes:
        """The answer to a request that no client library would send; the server ends the connection."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answer


def path_of(url: str) -> str:
    return urlsplit(url).path


@asynccontextmanager
async def site(folder: Path, *, patience: float = 60.0, limit: int = LIMIT) -> AsyncIterator[Site]:
    """A listener on a free port; what is in `folder` stays for the next one."""
    database, directory = folder / "mcpp.db", folder / "files"
    connection = open_writer(database)
    migrate(connection)
    writer = Writer(connection, SqliteQueries(connection))
    readers = await SqliteReaderPool.open(database)
    clock, events = Clock(), list[Event]()
    store = FileStore(directory, writer, readers, events.extend, size_limit=limit, link_lifetime=LIFETIME, now=clock)
    await store.open()
    server = HttpServer(create_files_app(store, size_limit=limit, patience=patience), HOST, 0, stop_timeout=1)
    port = await server.start()
    store.base_url = f"http://{HOST}:{port}"
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
            yield Site(store, writer, readers, port, directory, clock, http, events)
    finally:
        await server.stop()
        await writer.close()
        await readers.close()
