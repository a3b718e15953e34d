"""How a generated reader runs its statement: in one hop to the connection's thread and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar, cast

import aiosqlite

Row = TypeVar("Row")
Value = TypeVar("Value")
Parameters: TypeAlias = tuple[int | float | str | bytes | None, ...]


def scalar(row: tuple[Value]) -> Value:
    """The bare value of a row with one column."""
    return row[0]


async def read_one(
    connection: aiosqlite.Connection, sql: str, parameters: Parameters, decode: Callable[[Row], Value]
) -> Value | None:
    """The first row, None where there is none."""
    rows = await read_all(connection, sql, parameters, decode)
    return rows[0] if rows else None


async def read_certain(
    connection: aiosqlite.Connection, sql: str, parameters: Parameters, decode: Callable[[Row], Value]
) -> Value:
    """The first row of a statement that always returns one."""
    return (await read_all(connection, sql, parameters, decode))[0]


async def read_all(
    connection: aiosqlite.Connection, sql: str, parameters: Parameters, decode: Callable[[Row], Value]
) -> list[Value]:
    """Every row."""
    rows = cast("list[Row]", await connection.execute_fetchall(sql, parameters))
    return [decode(row) for row in rows]
