"""What the generated functions stand on: times as SQLite stores them, rows as Python sees them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias, TypeVar, cast

import aiosqlite

Row = TypeVar("Row")
Value = TypeVar("Value")
Parameters: TypeAlias = tuple[int | float | str | bytes | None, ...]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_milliseconds(moment: datetime) -> int:
    """An aware datetime as it is stored, microseconds cut off; raises TypeError where there is no zone."""
    since = moment - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000


def from_milliseconds(stored: int) -> datetime:
    """A stored time, in UTC."""
    return _EPOCH + timedelta(milliseconds=stored)


def to_array(values: Sequence[int | float | str]) -> str:
    """The values of a slice, as json_each reads them."""
    return json.dumps(values)


def scalar(row: tuple[Value]) -> Value:
    """The bare value of a row with one column."""
    return row[0]


def fetch_one(cursor: sqlite3.Cursor, decode: Callable[[Row], Value]) -> Value | None:
    """The first row, None where there is none."""
    row: Row | None = cursor.fetchone()
    return None if row is None else decode(row)


def fetch_certain(cursor: sqlite3.Cursor, decode: Callable[[Row], Value]) -> Value:
    """The first row of a statement that always gives one."""
    return decode(cursor.fetchone())


def fetch_all(cursor: sqlite3.Cursor, decode: Callable[[Row], Value]) -> list[Value]:
    """Every row."""
    return [decode(row) for row in cursor]


async def read_one(
    connection: aiosqlite.Connection, sql: str, parameters: Parameters, decode: Callable[[Row], Value]
) -> Value | None:
    """As fetch_one, in one hop to the connection's thread and back."""
    rows = await read_all(connection, sql, parameters, decode)
    return rows[0] if rows else None


async def read_certain(
    connection: aiosqlite.Connection, sql: str, parameters: Parameters, decode: Callable[[Row], Value]
) -> Value:
    """As fetch_certain, in one hop to the connection's thread and back."""
    return (await read_all(connection, sql, parameters, decode))[0]


async def read_all(
    connection: aiosqlite.Connection, sql: str, parameters: Parameters, decode: Callable[[Row], Value]
) -> list[Value]:
    """As fetch_all, in one hop to the connection's thread and back."""
    rows = cast("list[Row]", await connection.execute_fetchall(sql, parameters))
    return [decode(row) for row in rows]
