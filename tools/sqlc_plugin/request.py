"""What sqlc hands to a plugin and takes back: `CodeGenRequest` and `CodeGenResponse` as JSON, the fields used here.

https://github.com/sqlc-dev/sqlc/blob/main/protos/plugin/codegen.proto has all of them.
"""

from __future__ import annotations

from base64 import b64decode

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field


class Identifier(BaseModel):
    name: str


class Column(BaseModel):
    """A column of a table or of a result, or the column that a parameter stands for."""

    name: str
    original_name: str = ""
    """The column's own name, where `name` is an alias or a parameter."""
    not_null: bool
    is_named_param: bool = False
    is_sqlc_slice: bool = False
    table: Identifier | None = None
    type: Identifier | None = None

    @property
    def table_name(self) -> str:
        return self.table.name if self.table else ""

    @property
    def type_name(self) -> str:
        return self.type.name.upper() if self.type else ""


class Table(BaseModel):
    """A table or a view."""

    rel: Identifier
    columns: list[Column]


class Schema(BaseModel):
    tables: list[Table]


class Catalog(BaseModel):
    schemas: list[Schema]


class Parameter(BaseModel):
    number: int
    column: Column


class Query(BaseModel):
    text: str
    name: str
    cmd: str
    filename: str
    columns: list[Column]
    params: list[Parameter]
    comments: list[str]
    insert_into_table: Identifier | None = None


class Settings(BaseModel):
    schema_paths: list[str] = Field(alias="schema")


class Options(BaseModel):
    """The plugin's options in `sqlc.yaml`."""

    model_config = ConfigDict(extra="forbid")

    types: dict[str, str] = {}
    """`table.column` (`Query.name` for an expression, or for a parameter in a CAST) to `datetime`, `bool`, `decimal`
    or the name of an enum. `*` stands for any text; a key without one goes before."""
    enums: dict[str, list[str]] = {}
    models: dict[str, str] = {}
    """Class names of tables whose name without a final s wouldn't do."""
    readers: list[str] = []
    """Queries that are read outside the writer, too: each gets a coroutine beside its method."""


class CodeGenRequest(BaseModel):
    settings: Settings
    catalog: Catalog
    queries: list[Query]
    plugin_options: str

    @property
    def options(self) -> Options:
        return Options.model_validate_json(b64decode(self.plugin_options) or b"{}")

    @property
    def tables(self) -> list[Table]:
        return [table for schema in self.catalog.schemas for table in schema.tables]


class File(BaseModel):
    name: str
    contents: Base64Bytes


class CodeGenResponse(BaseModel):
    files: list[File]
