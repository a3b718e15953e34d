"""Whether a version takes all that an earlier one takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from tools.contract import schemas
from tools.contract.bundle import WIRE_TYPES, Bundle, Json, bundle
from tools.contract.table import Contract, ContractError

_Definition: TypeAlias = dict[str, Json]

_LOWER: Final = ("minimum", "minItems")
_UPPER: Final = ("maximum", "maxItems", "maxLength")


def check_widening(contracts: Iterable[Contract]) -> None:
    """Raises ContractError where a version is narrower than the one it widens but as listed.

    So that one set of handlers, typed by the later version's classes, serves both.
    """
    by_name = {contract.module: contract for contract in contracts}
    for later in by_name.values():
        if later.widens is None:
            continue
        earlier = by_name.get(later.widens)
        if earlier is None:
            raise ContractError(f"{later.path}: widens: there is no table {later.widens}.toml")
        found = set(narrower(_bundle(earlier), _bundle(later)))
        if unlisted := sorted(found - later.narrower.keys()):
            raise ContractError(
                f"{later.path}: {later.version} refuses what {earlier.version} allows at {', '.join(unlisted)}: "
                "see to it that the handlers' dialect mends or refuses it, then list it with its reason "
                "under [[narrower]]"
            )
        if unused := sorted(later.narrower.keys() - found):
            raise ContractError(
                f"{later.path}: {later.version} allows what {earlier.version} allows at {', '.join(unused)}: "
                "remove it from [[narrower]]"
            )


def _bundle(contract: Contract) -> Bundle:
    return bundle(contract, schemas.read(contract, schemas.folder(contract)))


def narrower(earlier: Bundle, later: Bundle) -> Iterator[str]:
    """The places, such as `EVSEType.id/minimum`, where the later one refuses what the earlier allows."""
    comparison = _Comparison(earlier, later)
    for name, definition in earlier.definitions.items():
        if name in later.definitions:
            yield from comparison.compare(name, definition, later.definitions[name])
        elif name.endswith(("Request", "Response")):
            yield f"{name}/missing"


class _Comparison:
    def __init__(self, earlier: Bundle, later: Bundle) -> None:
        self._earlier, self._later = earlier, later

    def compare(self, at: str, old: _Definition, new: _Definition) -> Iterator[str]:
        """The keywords in which the new definition is narrower."""
        if "$ref" in old and old["$ref"] == new.get("$ref"):
            return  # a type of that name is compared by itself
        old, new = _resolve(self._earlier, old), _resolve(self._later, new)
        if not new:
            return  # any value
        if old.get("type") != new.get("type") and (old.get("type"), new.get("type")) != ("integer", "number"):
            yield f"{at}/type"
            return
        yield from _bounds(at, old, new)
        yield from self._enum(at, old, new)
        if "items" in old:
            yield from self.compare(f"{at}[]", _dict(old["items"]), _dict(new["items"]))
        if "properties" in old:
            yield from self._properties(at, old, new)

    def _enum(self, at: str, old: _Definition, new: _Definition) -> Iterator[str]:
        if "enum" in new:
            allowed = _texts(new["enum"])
            if "enum" not in old:
                yield f"{at}/enum"
            else:
                yield from (f"{at}/{value}" for value in _texts(old["enum"]) if value not in allowed)
        elif "enum" in old and "maxLength" in new:
            longest = max(map(len, _texts(old["enum"])))
            yield from _bounds(at, {"maxLength": longest}, new)

    def _properties(self, at: str, old: _Definition, new: _Definition) -> Iterator[str]:
        before, after = _dict(old["properties"]), _dict(new["properties"])
        for key, shape in before.items():
            if key in after:
                yield from self.compare(f"{at}.{key}", _dict(shape), _dict(after[key]))
            elif not new.get("additionalProperties"):
                yield f"{at}.{key}/missing"
        for key in _texts(new["required"]):
            if key not in _texts(old["required"]):
                yield f"{at}.{key}/required"
        if old.get("additionalProperties") and not new.get("additionalProperties"):
            yield f"{at}/additionalProperties"


def _bounds(at: str, old: _Definition, new: _Definition) -> Iterator[str]:
    for key in (*_LOWER, *_UPPER):
        bound, before = new.get(key), old.get(key)
        if not isinstance(bound, int | float):
            continue
        weaker = not isinstance(before, int | float) or (before < bound if key in _LOWER else before > bound)
        if weaker and not (key == "maxLength" and "enum" in old):
            yield f"{at}/{key}"
    yield from (f"{at}/{key}" for key in ("format", "multipleOf") if key in new and new[key] != old.get(key))


def _resolve(of: Bundle, shape: _Definition) -> _Definition:
    if "$ref" not in shape:
        return shape
    name = _name(shape)
    if name in of.wire_types:
        return WIRE_TYPES[of.wire_types[name]]
    return of.scalars.get(name) or of.definitions[name]


def _name(shape: _Definition) -> str:
    return str(shape["$ref"]).rpartition("/")[2]


def _dict(value: Json) -> _Definition:
    assert isinstance(value, dict)
    return value


def _texts(value: Json) -> list[str]:
    assert isinstance(value, list)
    return list(map(str, value))
