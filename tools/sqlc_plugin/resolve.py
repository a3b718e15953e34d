"""From sqlc's request to queries whose every type is certain; what isn't is refused with the spelling that works.

What sqlc 1.31 says of a plain column of a table is right, nullability under LEFT JOIN included, and so is what it says
of a parameter that is compared with or assigned to one. Of expressions it gets types and NULLs wrong or not at all,
and it misnumbers parameters in places. DESIGN.md and the decision record list what was tried.
"""

from __future__ import annotations

from collections import Counter

from tools.sqlc_plugin import naming, request
from tools.sqlc_plugin.package import Field, Model, Package, Query, Refused
from tools.sqlc_plugin.schema import Database
from tools.sqlc_plugin.statement import ExpressionType, Item, Statement
from tools.sqlc_plugin.types import Type, TypeTable, storage_of

COMMANDS = (":one", ":many", ":exec", ":execrows", ":execlastid", ":batchexec")


def resolve(source: request.CodeGenRequest) -> Package:
    """Raises Refused with all that is wrong."""
    return _Resolver(source).package()


class _Resolver:
    def __init__(self, source: request.CodeGenRequest) -> None:
        self._source = source
        self._options = source.options
        self._types = TypeTable(self._options)
        self._database = Database(source.settings.schema_paths)
        self._views = self._database.views()
        self._tables = {table.rel.name: table for table in source.tables}

    def package(self) -> Package:
        problems: list[str] = []
        queries: list[Query] = []
        for query in self._source.queries:
            try:
                queries.append(self._query(query))
            except Refused as refusal:
                problems += [f"{query.filename}: {query.name}: {line}" for line in refusal.lines]
        models = dict.fromkeys(query.result for query in queries if isinstance(query.result, Model))
        if not problems:
            problems = self._slips_of_options([model.name for model in models], queries)
        if problems:
            raise Refused(*problems)
        return Package(tuple(queries), tuple(models), self._options.enums)

    def _slips_of_options(self, models: list[str], queries: list[Query]) -> list[str]:
        classes = Counter([*models, *self._options.enums])
        typed = set(self._options.types.values())
        readable = {query.name for query in queries if not query.writes}
        return [
            *(f"readers: {name} is no query that only reads" for name in self._options.readers if name not in readable),
            *(f"models.{name} names no table" for name in self._options.models if name not in self._tables),
            *(f"{count} classes would be named {name}" for name, count in classes.items() if count > 1),
            *(f"enums.{name} is the type of no column" for name in self._options.enums if name not in typed),
            *(f"types.{key} fits no column" for key in self._types.unused()),
        ]

    def _query(self, query: request.Query) -> Query:
        sql = _with_slices(query)
        statement = Statement(sql)
        _check_parameters(query, statement)
        _check_slices(query)
        if complaint := self._database.complaint(sql, len(query.params)):
            raise Refused(f"SQLite can't prepare it: {complaint}")
        self._check_command(query, statement)
        parameters = self._parameters(query, statement)
        columns = self._columns(query, statement)
        return Query(
            name=query.name,
            command=query.cmd,
            sql=sql.strip(),
            doc=_doc(query),
            parameters=parameters,
            result=self._result(query, columns),
            writes=statement.verb != "SELECT",
            always_gives_a_row=statement.always_gives_a_row,
            has_reader=query.name in self._options.readers,
        )

    def _check_command(self, query: request.Query, statement: Statement) -> None:
        if query.cmd not in COMMANDS:
            raise Refused(f"{query.cmd} isn't generated here: use one of {' '.join(COMMANDS)}")
        if query.columns and query.cmd not in {":one", ":many"}:
            raise Refused(f"{query.cmd} would drop the rows that it gives: use :one or :many")
        table = query.insert_into_table.name if query.insert_into_table else ""
        if query.cmd == ":execlastid" and not (statement.inserts_for_certain and self._database.has_rowid(table)):
            raise Refused(":execlastid gives an earlier id where no row with a rowid was inserted: use :one, RETURNING")

    def _parameters(self, query: request.Query, statement: Statement) -> tuple[Field, ...]:
        problems: list[str] = []
        fields: list[Field] = []
        for parameter in sorted(query.params, key=lambda parameter: parameter.number):
            column = parameter.column
            try:
                found = self._parameter_type(query, parameter, statement)
            except ValueError as error:
                problems.append(f"@{column.name}: {error}")
            else:
                fields.append(Field(naming.identifier(column.name), found, column.is_sqlc_slice))
        if problems:
            raise Refused(*problems)
        return tuple(fields)

    def _parameter_type(self, query: request.Query, parameter: request.Parameter, statement: Statement) -> Type:
        column = parameter.column
        storage = storage_of(column.type_name)
        if storage is None:
            raise ValueError(
                f"sqlc finds no type: say it, as in CAST(@{column.name} AS INTEGER), or put a column before it first:"
                f" column = sqlc.narg({column.name}) OR sqlc.narg({column.name}) IS NULL"
            )
        if not column.table_name:
            return self._types.find(query.name, column.name, storage, nullable=not column.not_null)
        if not statement.has_certain_place(parameter.number, column.original_name):
            raise ValueError(
                f"sqlc guesses the type of {column.table_name}.{column.original_name or '?'}: say it, as in"
                f" CAST(@{column.name} AS INTEGER), or compare a column with it alone, without BETWEEN"
            )
        return self._types.find(column.table_name, column.original_name, storage, nullable=not column.not_null)

    def _columns(self, query: request.Query, statement: Statement) -> tuple[Field, ...]:
        if not query.columns:
            return ()
        if statement.is_compound:
            raise Refused("UNION, EXCEPT and INTERSECT hide which columns can be NULL: write one query for each part")
        items = statement.items
        if len(items) != len(query.columns):
            raise Refused("sqlc.embed isn't generated here: name the columns, or make a view")
        problems: list[str] = []
        fields: list[Field] = []
        for item, column in zip(items, query.columns, strict=True):
            name = item.alias or column.name
            try:
                fields.append(Field(naming.identifier(name), self._column_type(query, item, column, statement)))
            except ValueError as error:
                problems.append(f"{name or item.source}: {error}")
        if len(fields) > 1:
            counted = Counter(field.name for field in fields)
            problems += [
                f"{name}: {count} columns have this name: use AS" for name, count in counted.items() if count > 1
            ]
        if problems:
            raise Refused(*problems)
        return tuple(fields)

    def _column_type(self, query: request.Query, item: Item, column: request.Column, statement: Statement) -> Type:
        if not item.is_column:
            found = _expression_type(item)
            if not item.alias and len(query.columns) > 1:
                raise ValueError("an expression beside other columns needs a name: use AS")
            if found.truth:
                return Type("bool", "INTEGER", "bool", nullable=False)
            return self._types.find(query.name, item.alias or column.name, found.storage, nullable=found.nullable)
        table = self._tables.get(column.table_name)
        if table is None or statement.doubt:
            raise ValueError(
                f"{statement.doubt or 'it is of no table'}: make it a view, or write"
                f" CAST({item.source} AS INTEGER) AS {column.name}"
            )
        return self._table_column(table, column)

    def _table_column(self, table: request.Table, column: request.Column) -> Type:
        owner, name = table.rel.name, column.original_name or column.name
        storage, nullable = storage_of(column.type_name), not column.not_null
        if owner in self._views:
            position = [column.name for column in table.columns].index(name)
            found = self._view_column(owner, position)
            if found is not None:
                storage, nullable = found.storage, nullable or found.nullable
        if storage is None:
            raise ValueError(f"sqlc finds no type for {owner}.{name}: the table must be STRICT, without ANY")
        return self._types.find(owner, name, storage, nullable=nullable)

    def _view_column(self, view: str, position: int) -> ExpressionType | None:
        """The type of an expression in a view; None for a plain column, of which sqlc is right."""
        statement = self._views[view]
        if statement.is_compound or not statement.names.isdisjoint(self._views.keys() - {view}):
            raise ValueError(f"the view {view} must read tables only, no other view, without UNION")
        item = statement.items[position]
        if not item.is_column:
            return _expression_type(item)
        if statement.doubt:
            raise ValueError(f"in the view {view}, {statement.doubt}")
        return None

    def _result(self, query: request.Query, columns: tuple[Field, ...]) -> Model | Field | None:
        if len(columns) < 2:
            return columns[0] if columns else None
        table = self._tables.get(query.columns[0].table_name)
        if table is not None and columns == self._whole(table):
            kind = "view" if table.rel.name in self._views else "table"
            name = self._options.models.get(table.rel.name, naming.class_name(table.rel.name))
            return Model(name, f"A row of the {kind} `{table.rel.name}`.", columns)
        return Model(f"{query.name}Row", f"A row of `{naming.snake_case(query.name)}`.", columns)

    def _whole(self, table: request.Table) -> tuple[Field, ...] | None:
        try:
            return tuple(
                Field(naming.identifier(column.name), self._table_column(table, column)) for column in table.columns
            )
        except ValueError:
            return None


def _with_slices(query: request.Query) -> str:
    """A slice is one parameter, a JSON array: the statement stays one text, and an empty slice is no special case."""
    sql = query.text
    for parameter in query.params:
        if parameter.column.is_sqlc_slice:
            mark = f"/*SLICE:{parameter.column.name}*/?"
            sql = sql.replace(mark, f"SELECT value FROM json_each(?{parameter.number})")
    return sql


def _check_parameters(query: request.Query, statement: Statement) -> None:
    """Every parameter has a name of its own and a number that SQLite assigns to it, too."""
    for token in statement.tokens:
        if token.kind == "parameter" and not token.text.startswith("?"):
            raise Refused(f"sqlc leaves {token.text} in ON CONFLICT as it is: write excluded.column")
        if token.text == "SQLC":
            raise Refused("sqlc leaves sqlc.arg in ON CONFLICT as it is: write excluded.column")
    if not all(parameter.column.is_named_param for parameter in query.params):
        raise Refused("name every parameter: @name instead of ?")
    if len({parameter.number for parameter in query.params}) < len(query.params):
        raise Refused("sqlc gives several parameters in IN (…) one number: use IN (sqlc.slice(names))")


def _check_slices(query: request.Query) -> None:
    slices = [parameter.column for parameter in query.params if parameter.column.is_sqlc_slice]
    if slices and query.cmd == ":batchexec":
        raise Refused(f"@{slices[0].name}: :batchexec takes no slice")
    for column in slices:
        if column.type_name == "BLOB":
            raise Refused(f"@{column.name}: a slice can't hold BLOBs, since it travels as JSON")


def _expression_type(item: Item) -> ExpressionType:
    found = item.type
    if found is None:
        name = item.alias or "name"
        raise ValueError(
            f"its type isn't certain: say it, as in CAST({item.source} AS INTEGER) AS {name};"
            " never None only as CAST(coalesce(..., 0) AS INTEGER)"
        )
    return found


def _doc(query: request.Query) -> str:
    doc = "\n".join(line.strip() for line in query.comments).strip()
    if not doc.endswith((".", "?", "!")):
        raise Refused("needs a comment above it that says in a sentence what it does, with its full stop")
    return doc
