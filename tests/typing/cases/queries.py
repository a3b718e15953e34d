"""Queries: each line marked `E:` must be that mypy error, every other line must be none."""

import sqlite3
from datetime import datetime
from typing import assert_type

import aiosqlite

from mcpp.csms.calls import CallContext
from mcpp.domain import charge_points
from mcpp.storage.engine import ReaderPool, WriteConnection
from mcpp.storage.sqlite.database import WriterConnection
from mcpp.storage.sqlite.readers import SqliteReaderPool
from mcpp.storage.writer import Writer
from mcpp_generated.db.enums import IdTagStatus, ReportKind
from mcpp_generated.db.models import IdTag, TransactionRecord
from mcpp_generated.db.queries import Queries
from mcpp_generated.db.readers import Readers
from mcpp_generated.db.sqlite.queries import SqliteQueries
from mcpp_generated.db.sqlite.readers import SqliteReaders


def write(q: Queries, now: datetime) -> None:
    n, blocked = None, IdTagStatus.BLOCKED
    assert_type(q.get_id_tag(id_tag="A"), IdTag | None)
    q.put_id_tag(id_tag="A", status=IdTagStatus.BLOCKED, expiry_date=now, parent_id_tag=n, note=n, token_type=n)
    q.put_id_tag(id_tag="A", status="Blocked", expiry_date=now, parent_id_tag=n, note=n, token_type=n)  # E: arg-type
    q.put_id_tag(id_tag="A", status=blocked, expiry_date=0, parent_id_tag=n, note=n, token_type=n)  # E: arg-type
    q.get_id_tag(id_tag=1)  # E: arg-type
    q.get_id_tag(tag="A")  # E: call-arg
    q.get_id_tag("A")  # E: call-arg


def implementation(connection: sqlite3.Connection) -> Queries:
    return SqliteQueries(connection)


def a_class_is_no_handle() -> Queries:
    return SqliteQueries  # E: return-value


def engine(connection: WriterConnection) -> WriteConnection:
    return connection


def a_plain_connection_is_no_engine(connection: sqlite3.Connection) -> WriteConnection:
    return connection  # E: return-value


async def a_writer_knows_no_engine(connection: WriterConnection) -> Writer[Queries]:
    return Writer[SqliteQueries](connection, SqliteQueries(connection))


def reading(connection: aiosqlite.Connection) -> Readers:
    return SqliteReaders(connection)


def queries_are_no_readers(connection: sqlite3.Connection) -> Readers:
    return SqliteQueries(connection)  # E: return-value


def pool(pool: SqliteReaderPool) -> ReaderPool:
    return pool


async def read(pool: ReaderPool) -> None:
    async with pool.reader() as q:
        assert_type(await q.get_transaction(transaction_id=1), TransactionRecord | None)
        await q.get_transaction(transaction_id="1")  # E: arg-type
        q.put_id_tag()  # E: attr-defined


async def domain(context: CallContext) -> None:
    await context.write(charge_points.report, ReportKind.LOG, "Uploaded", 1)
    await context.write(charge_points.report, ReportKind.LOG, "Uploaded", "1")  # E: arg-type
    await context.write(charge_points.report, "log", "Uploaded")  # E: arg-type
