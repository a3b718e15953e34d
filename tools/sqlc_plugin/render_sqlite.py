"""The SQLite side of the generated package: statements, rows as SQLite spells them, the queries and readers that run.

A query's method makes its row itself, without a helper in between: a call costs as much as half the row.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import indent

from tools.sqlc_plugin import naming
from tools.sqlc_plugin.package import Field, Model, Package, Query
from tools.sqlc_plugin.source import FUTURE, TYPES, converted_scalar, import_from, method, module, quoted
from tools.sqlc_plugin.types import Type

_RUNTIME = "runtime import from_milliseconds, to_array, to_milliseconds\n"


def _package(_: Package) -> str:
    return module("The queries on SQLite.")


def _statements(package: Package) -> str:
    constants = "\n".join(f'{_constant(query)}: Final = """\\\n{quoted(query.sql)}"""\n' for query in package.queries)
    imports = FUTURE + "from typing import Final\n"
    return module("The SQL of every query, as sqlc checked it; parameters by number.", imports, constants)


def _rows(package: Package) -> str:
    imports = FUTURE + "from typing import Final, TypeAlias\n" + TYPES + f"from .{_RUNTIME}"
    imports += import_from("..enums", package.enums) + import_from("..models", _model_names(package))
    members = "\n".join(
        f"{_members(name)}: Final = {{member.value: member for member in {name}}}" for name in package.enums
    )
    decoders = [_decoder(model) for model in package.models]
    scalars = [_scalar_decoder(query, found) for query in package.queries if (found := converted_scalar(query))]
    return module("Rows as SQLite stores them, made into rows of Python.", imports, members, *decoders, *scalars)


def _decoder(model: Model) -> str:
    stored = ", ".join(field.type.stored for field in model.fields)
    names = ", ".join(field.name for field in model.fields)
    if all(field.type.kind == "plain" for field in model.fields):
        body = f"return {model.name}(*row)"
    else:
        arguments = ", ".join(_to_python(field.type, field.name) for field in model.fields)
        body = f"{names} = row\n    return {model.name}({arguments})"
    return f"""{_stored_name(model)}: TypeAlias = tuple[{stored}]


def {_decoder_of_model(model)}(row: {_stored_name(model)}) -> {model.name}:
    {body}
"""


def _scalar_decoder(query: Query, found: Type) -> str:
    return f"""def {_decoder_of_scalar(query)}(row: tuple[{found.stored}]) -> {found.annotation}:
    return {_to_python(found, "row[0]")}
"""


def _queries(package: Package) -> str:
    imports = FUTURE + "import sqlite3\n" + TYPES + "from . import statements\n" + f"from .{_RUNTIME}"
    imports += import_from("..enums", package.enums) + import_from("..models", _model_names(package))
    imports += import_from(".rows", _names_of_rows(package))
    connection = '''class SqliteQueries:
    """Implements `Queries` on a connection of sqlite3, which must be in autocommit mode. Raises sqlite3.Error."""

    __slots__ = ("_execute", "_executemany")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._executemany = connection.executemany

'''
    methods = "\n".join(
        indent(f"def {method(query)}:\n{indent(_body(query), '    ')}\n", "    ") for query in package.queries
    )
    return module("Every query as a typed method on a connection of sqlite3.", imports, connection + methods)


def _body(query: Query) -> str:
    if query.is_batch:
        return f"return self._executemany(statements.{_constant(query)}, {_stored_rows(query)}).rowcount"
    call = f"self._execute({_arguments(query)})"
    if query.result is None:
        match query.command:
            case ":exec":
                return call
            case ":execrows":
                return f"return {call}.rowcount"
            case _:
                return f"return {call}.lastrowid or 0"
    stored = _stored_row(query.result)
    value = _value(query, query.result)
    if query.command == ":many":
        return f"rows: list[{stored}] = {call}.fetchall()\nreturn [{value} for row in rows]"
    if query.always_gives_a_row:
        return f"row: {stored} = {call}.fetchone()\nreturn {value}"
    return f"row: {stored} | None = {call}.fetchone()\nreturn None if row is None else {value}"


def _stored_rows(query: Query) -> str:
    """The rows of a batch as SQLite stores them."""
    names = ", ".join(field.name for field in query.parameters)
    stored = ", ".join(_to_sql(field) for field in query.parameters)
    comma = "," if len(query.parameters) == 1 else ""
    return "rows" if names == stored else f"[({stored}{comma}) for {names}{comma} in rows]"


def _stored_row(result: Model | Field) -> str:
    return _stored_name(result) if isinstance(result, Model) else f"tuple[{result.type.stored}]"


def _value(query: Query, result: Model | Field) -> str:
    if isinstance(result, Model):
        return f"{_decoder_of_model(result)}(row)"
    return f"{_decoder_of_scalar(query)}(row)" if converted_scalar(query) else "row[0]"


def _readers(package: Package) -> str:
    imports = FUTURE + "import aiosqlite\n" + TYPES + "from . import statements\n" + f"from .{_RUNTIME}"
    imports += "from .reading import read_all, read_certain, read_one, scalar\n"
    imports += import_from("..enums", package.enums) + import_from("..models", _model_names(package))
    imports += import_from(".rows", _names_of_rows(package))
    connection = '''class SqliteReaders:
    """Implements `Readers` on a connection of aiosqlite. Raises sqlite3.Error."""

    __slots__ = ("_connection",)

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

'''
    methods = "\n".join(
        indent(f"async def {method(query)}:\n    return await {_reading(query)}\n", "    ")
        for query in package.queries
        if query.has_reader
    )
    doc = "Queries that are read outside the writer, on a connection of aiosqlite."
    return module(doc, imports, connection + methods)


def _reading(query: Query) -> str:
    parameters = _parameters(query) or "()"
    return f"read_{_amount(query)}(self._connection, statements.{_constant(query)}, {parameters}, {_decode(query)})"


def _amount(query: Query) -> str:
    if query.command == ":many":
        return "all"
    return "certain" if query.always_gives_a_row else "one"


def _decode(query: Query) -> str:
    if isinstance(query.result, Model):
        return _decoder_of_model(query.result)
    return _decoder_of_scalar(query) if converted_scalar(query) else "scalar"


def _arguments(query: Query) -> str:
    statement = f"statements.{_constant(query)}"
    return f"{statement}, {_parameters(query)}" if query.parameters else statement


def _parameters(query: Query) -> str:
    values = "".join(f"{_to_sql(field)}, " for field in query.parameters)
    if len(query.parameters) > 1:
        values = values.removesuffix(", ")
    return f"({values})" if values else ""


def _model_names(package: Package) -> list[str]:
    names = [model.name for model in package.models]
    return names + [f"{query.name}Params" for query in package.queries if query.is_batch]


def _names_of_rows(package: Package) -> list[str]:
    names = [name for model in package.models for name in (_stored_name(model), _decoder_of_model(model))]
    return names + [_decoder_of_scalar(query) for query in package.queries if converted_scalar(query)]


def _constant(query: Query) -> str:
    return naming.constant_case(query.name)


def _stored_name(model: Model) -> str:
    return f"Stored{model.name}"


def _decoder_of_model(model: Model) -> str:
    return f"decode_{naming.snake_case(model.name)}"


def _decoder_of_scalar(query: Query) -> str:
    return f"decode_{naming.snake_case(query.name)}"


def _members(enum: str) -> str:
    return f"_{naming.constant_case(enum)}"


def _to_python(found: Type, value: str) -> str:
    """The expression that makes a stored value one of Python."""
    match found.kind:
        case "plain":
            return value
        case "datetime":
            converted = f"from_milliseconds({value})"
        case "enum":
            converted = f"{_members(found.python)}[{value}]"
        case _:
            converted = f"{found.python}({value})"
    return f"None if {value} is None else {converted}" if found.nullable else converted


def _to_sql(field: Field) -> str:
    """The expression that makes an argument one that SQLite stores."""
    if field.is_slice:
        item = _stored("item", field.type)
        return f"to_array({field.name})" if item == "item" else f"to_array([{item} for item in {field.name}])"
    stored = _stored(field.name, field.type)
    is_optional = field.type.nullable and stored != field.name
    return f"None if {field.name} is None else {stored}" if is_optional else stored


def _stored(value: str, found: Type) -> str:
    match found.kind:
        case "plain":
            return value
        case "datetime":
            return f"to_milliseconds({value})"
        case "bool":
            return f"int({value})"
        case "decimal" | "enum":
            return f"str({value})"


def _static(name: str) -> Callable[[Package], str]:
    """A module that is the same for all queries, and stands beside this one."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return lambda _: text


SQLITE_MODULES: dict[str, Callable[[Package], str]] = {
    "sqlite/__init__.py": _package,
    "sqlite/queries.py": _queries,
    "sqlite/readers.py": _readers,
    "sqlite/reading.py": _static("reading.py"),
    "sqlite/rows.py": _rows,
    "sqlite/runtime.py": _static("runtime.py"),
    "sqlite/statements.py": _statements,
}
