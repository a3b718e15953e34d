"""One SQL statement, read where sqlc can't be trusted on SQLite: which expressions it returns, where parameters stand.

Not a parser: sqlc and SQLite have both accepted the statement before. Tokens, their depth in parentheses, and their
neighbours show all that is needed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import dropwhile, pairwise, takewhile
from typing import Literal, NamedTuple

_TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)
    |(?P<string>[xX]?'(?:[^']|'')*')
    |(?P<name>"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\])
    |(?P<parameter>\?\d*|[@:$]\w+)
    |(?P<number>\d+(?:\.\d*)?)
    |(?P<word>\w+)
    |(?P<operator><=|>=|<>|!=|==|\|\||[^\s])""",
    re.VERBOSE | re.DOTALL,
)
_VERBS = frozenset({"SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE"})
_COMPARISONS = frozenset({"=", "==", "<", "<=", ">", ">=", "<>", "!=", "IS", "LIKE", "NOT"})
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "||", "&", "|"})
_AGGREGATES = frozenset({"AVG", "COUNT", "GROUP_CONCAT", "MAX", "MIN", "SUM", "TOTAL"})
_NUMBERINGS = frozenset({"ROW_NUMBER", "RANK", "DENSE_RANK"})
_LEFT = frozenset({"LEFT", "OUTER"})
_AFTER_LIST = frozenset(
    {"FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT"}
)


class Token(NamedTuple):
    kind: str
    text: str
    """Words in upper case."""
    depth: int
    """How many parentheses are open around it; a parenthesis counts as outside of itself."""
    source: str
    """As written."""


Tokens = Sequence[Token]
Storage = Literal["INTEGER", "REAL", "TEXT", "BLOB"]
STORAGES: dict[str, Storage] = {"INTEGER": "INTEGER", "REAL": "REAL", "TEXT": "TEXT", "BLOB": "BLOB"}


class ExpressionType(NamedTuple):
    storage: Storage
    nullable: bool
    truth: bool = False
    """0 or 1, such as EXISTS returns."""


class Item(NamedTuple):
    """One of the expressions that a statement returns."""

    expression: Tokens
    alias: str

    @property
    def source(self) -> str:
        spaced = " ".join(token.source for token in self.expression)
        return re.sub(r"(?<=[(.]) | (?=[),.])|(?<=\w) (?=\()", "", spaced)

    @property
    def is_column(self) -> bool:
        """`column` or `table.column`, as it is."""
        return _is_column(self.expression)

    @property
    def type(self) -> ExpressionType | None:
        """What is certain of an expression's type; None where nothing is."""
        first = self.expression[0].text
        if first == "CAST" and _is_call(self.expression):
            inner, words = _split_cast(self.expression)
            storage = STORAGES.get(words)
            return ExpressionType(storage, not _never_null(inner)) if storage else None
        if first == "COUNT" and _is_call(self.expression):
            return ExpressionType("INTEGER", nullable=False)
        if _is_exists(self.expression):
            return ExpressionType("INTEGER", nullable=False, truth=True)
        return None


def tokenize(sql: str) -> list[Token]:
    tokens: list[Token] = []
    depth = 0
    for match in _TOKEN.finditer(sql):
        kind, source = match.lastgroup or "", match[0]
        if kind == "comment":
            continue
        depth -= source == ")"
        tokens.append(Token(kind, source.upper() if kind == "word" else source, depth, source))
        depth += source == "("
    return tokens


def split(tokens: Tokens, separator: str, depth: int) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token.text == separator and token.depth == depth:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


class Statement:
    def __init__(self, sql: str) -> None:
        self.tokens = tokenize(sql)
        self._outer = [token.text for token in self.tokens if token.depth == 0]

    @property
    def verb(self) -> str:
        """The word that says what the statement does."""
        return next((word for word in self._outer if word in _VERBS), "")

    @property
    def names(self) -> set[str]:
        return {token.source for token in self.tokens if token.kind in {"word", "name"}}

    @property
    def is_compound(self) -> bool:
        return not {"UNION", "EXCEPT", "INTERSECT"}.isdisjoint(self._outer)

    @property
    def doubt(self) -> str:
        """Why a plain column may be NULL although sqlc says that it isn't; empty where sqlc is right."""
        if self._reads_subquery:
            return "a subquery in FROM or WITH hides whether it can be NULL"
        if self._joins_behind_left_join:
            return "sqlc forgets NULLs of a LEFT JOIN that isn't last, of RIGHT and FULL JOIN"
        return ""

    @property
    def _reads_subquery(self) -> bool:
        if "WITH" in self._outer:
            return True
        sources = dropwhile(lambda token: token.depth > 0 or token.text != "FROM", self.tokens)
        return any(
            one.depth == 0 and one.text in {"FROM", "JOIN", ","} and two.text == "(" for one, two in pairwise(sources)
        )

    @property
    def _joins_behind_left_join(self) -> bool:
        sources = list(dropwhile(lambda word: word != "FROM", self._outer))[1:]
        left = False
        for before, word in pairwise(takewhile(lambda word: word not in _AFTER_LIST, sources)):
            if word in {"RIGHT", "FULL"} or (left and (word == "," or (word == "JOIN" and before not in _LEFT))):
                return True
            left = left or word == "LEFT"
        return False

    @property
    def items(self) -> list[Item]:
        """What stands behind SELECT or RETURNING."""
        start = "RETURNING" if "RETURNING" in self._outer else "SELECT"
        positions = [i for i, token in enumerate(self.tokens) if token.text == start and token.depth == 0]
        if not positions:
            return []
        tokens = self.tokens[positions[0] + 1 :]
        if tokens[0].text in {"DISTINCT", "ALL"}:
            tokens = tokens[1:]
        end = next((i for i, t in enumerate(tokens) if t.depth == 0 and t.text in _AFTER_LIST), len(tokens))
        return [_item(part) for part in split(tokens[:end], ",", 0)]

    @property
    def always_gives_a_row(self) -> bool:
        """An INSERT of values that can't be passed over, an aggregate without groups, or a SELECT from nothing."""
        if self.verb == "SELECT":
            if not {"GROUP", "HAVING", "LIMIT", "UNION", "EXCEPT", "INTERSECT"}.isdisjoint(self._outer):
                return False
            from_nothing = {"FROM", "WHERE"}.isdisjoint(self._outer)
            return from_nothing or any(_aggregates(item.expression) for item in self.items)
        may_pass_over = {"IGNORE", "NOTHING", "WHERE", "SELECT"}
        return self.verb in {"INSERT", "REPLACE"} and may_pass_over.isdisjoint(self._outer)

    @property
    def inserts_for_certain(self) -> bool:
        """Each run inserts a row, never changes one that was there."""
        return self.verb == "INSERT" and self.always_gives_a_row and "CONFLICT" not in self._outer

    def has_certain_place(self, number: int, column: str) -> bool:
        """One use of a parameter, at least, gives it the type of `column` beyond doubt.

        That is: compared with the column alone, assigned to it alone, or its stand-in in a coalesce.
        """
        places = [i for i, token in enumerate(self.tokens) if token.text == f"?{number}"]
        return any(self._is_certain(place, column) for place in places)

    def _is_certain(self, place: int, column: str) -> bool:
        before, after = self.tokens[:place], self.tokens[place + 1 :]
        following = after[0].text if after else ""
        if following in _ARITHMETIC or before[-1].text in _ARITHMETIC:
            return False
        if before[-1].text in _COMPARISONS:
            return _ends_with_column(_without_comparison(before), column)
        if following in _COMPARISONS:
            return _starts_with_column(after[1:], column)
        return before[-1].text in {"(", ",", "SELECT"} and self._is_listed(place, column)

    def _is_listed(self, place: int, column: str) -> bool:
        """A value of its own: in VALUES, INSERT … SELECT, a coalesce, a slice, or the first of a row value."""
        token, following = self.tokens[place], self.tokens[place + 1 : place + 2]
        if token.depth == 0:
            return self.verb in {"INSERT", "REPLACE"} and "SELECT" in self._outer
        if following and following[0].text not in {",", ")"}:
            return False
        opening = _opening(self.tokens[:place], token.depth - 1)
        before = self.tokens[opening - 1].text
        if before == "COALESCE":
            end = next(i for i in range(place, len(self.tokens)) if self.tokens[i].depth == token.depth - 1)
            return _has_column(split(self.tokens[opening + 1 : end], ",", token.depth), column)
        if before == "JSON_EACH":
            return _ends_with_column(_without_comparison(self.tokens[: opening - 6]), column)
        if before in _COMPARISONS:
            row = _without_comparison(self.tokens[:opening])
            columns = split(row[_opening(row, row[-1].depth) + 1 : -1], ",", row[-1].depth + 1)
            return opening == place - 1 and len(columns) > 1 and _has_column(columns[:1], column)
        return before in {"VALUES", ","} and token.depth == 1 and "VALUES" in self._outer


def _opening(tokens: Tokens, depth: int) -> int:
    """Where the last parenthesis opens that has so many around it; -1 for nowhere."""
    return max((i for i, token in enumerate(tokens) if token.text == "(" and token.depth == depth), default=-1)


def _has_column(expressions: Sequence[Tokens], column: str) -> bool:
    return any(_is_column(one) and _ends_with_column(one, column) for one in expressions if one)


def _item(tokens: Tokens) -> Item:
    if len(tokens) > 2 and tokens[-2].text == "AS" and tokens[-2].depth == tokens[0].depth:
        return Item(tokens[:-2], tokens[-1].source.strip('"'))
    return Item(tokens, "")


def _is_column(tokens: Tokens) -> bool:
    kinds = [token.kind for token in tokens]
    return all(kind in {"word", "name"} for kind in kinds[::2]) and (
        len(tokens) == 1 or (len(tokens) == 3 and tokens[1].text == ".")
    )


def _ends_with_column(tokens: Tokens, column: str) -> bool:
    if not tokens or tokens[-1].source.strip('"') != column:
        return False
    start = len(tokens) - (3 if len(tokens) > 2 and tokens[-2].text == "." else 1)
    return start == 0 or tokens[start - 1].text not in _ARITHMETIC


def _starts_with_column(tokens: Tokens, column: str) -> bool:
    length = 3 if len(tokens) > 2 and tokens[1].text == "." else 1
    following = tokens[length].text if len(tokens) > length else ""
    return tokens[length - 1].source.strip('"') == column and following not in _ARITHMETIC | {"("}


def _without_comparison(tokens: Tokens) -> Tokens:
    end = len(tokens)
    while tokens[end - 1].text in _COMPARISONS:
        end -= 1
    return tokens[:end]


def _is_call(tokens: Tokens) -> bool:
    """`name (…)`, whole; a FILTER or OVER may follow."""
    if len(tokens) < 3 or tokens[1].text != "(":
        return False
    outer = [token.text for token in tokens if token.depth == tokens[0].depth]
    return outer[1:] in (["(", ")"], ["(", ")", "FILTER", "(", ")"], ["(", ")", "OVER", "(", ")"])


def _is_exists(tokens: Tokens) -> bool:
    return _is_call(tokens[1:] if tokens[0].text == "NOT" else tokens) and "EXISTS" in (tokens[0].text, tokens[1].text)


def _split_cast(tokens: Tokens) -> tuple[Tokens, str]:
    inner, words = split(tokens[2:-1], "AS", tokens[0].depth + 1)
    return inner, " ".join(token.text for token in words)


def _never_null(tokens: Tokens) -> bool:
    """Certain only; what isn't certain counts as nullable."""
    if len(tokens) == 1:
        return tokens[0].kind in {"number", "string"}
    if _is_exists(tokens) or _is_null_test(tokens):
        return True
    if not _is_call(tokens):
        return False
    function = tokens[0].text
    if function in {"COALESCE", "IFNULL"}:
        return any(_never_null(argument) for argument in split(tokens[2:-1], ",", tokens[0].depth + 1))
    return function in {"COUNT", "TOTAL"} | _NUMBERINGS


def _is_null_test(tokens: Tokens) -> bool:
    outer = [token.text for token in tokens if token.depth == tokens[0].depth]
    return outer[-2:] in (["IS", "NULL"], ["NOT", "NULL"]) and {"AND", "OR", ","}.isdisjoint(outer)


def _aggregates(tokens: Tokens) -> bool:
    """An aggregate over all rows; max(a, b) isn't one."""
    words = {token.text for token in tokens}
    if not {"OVER", "SELECT"}.isdisjoint(words):
        return False
    for position, (token, opening) in enumerate(pairwise(tokens)):
        if token.text in _AGGREGATES and opening.text == "(":
            rest = tokens[position + 2 :]
            end = next(i for i, t in enumerate(rest) if t.text == ")" and t.depth == token.depth)
            return len(split(rest[:end], ",", token.depth + 1)) == 1
    return False
