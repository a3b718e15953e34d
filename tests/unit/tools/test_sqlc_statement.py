"""What is read from a statement's text."""

from __future__ import annotations

import pytest

from tools.sqlc_plugin.statement import ExpressionType, Statement


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("count(*)", ExpressionType("INTEGER", nullable=False)),
        ("count(DISTINCT a) FILTER (WHERE a > 1)", ExpressionType("INTEGER", nullable=False)),
        ("count(*) + 1", None),
        ("EXISTS (SELECT 1 FROM t)", ExpressionType("INTEGER", nullable=False, truth=True)),
        ("NOT EXISTS (SELECT 1 FROM t)", ExpressionType("INTEGER", nullable=False, truth=True)),
        ("CAST(a AS TEXT)", ExpressionType("TEXT", nullable=True)),
        ("cast(max(a) as real)", ExpressionType("REAL", nullable=True)),
        ("CAST(a AS NUMERIC)", None),
        ("CAST(a AS INTEGER) + 1", None),
        ("CAST(7 AS INTEGER)", ExpressionType("INTEGER", nullable=False)),
        ("CAST(total(a) AS REAL)", ExpressionType("REAL", nullable=False)),
        ("CAST(coalesce(max(a), 0) AS INTEGER)", ExpressionType("INTEGER", nullable=False)),
        ("CAST(coalesce(a, b) AS INTEGER)", ExpressionType("INTEGER", nullable=True)),
        ("CAST(coalesce(a, 0) + b AS INTEGER)", ExpressionType("INTEGER", nullable=True)),
        ("CAST(a IS NOT NULL AS INTEGER)", ExpressionType("INTEGER", nullable=False)),
        ("CAST(a OR b IS NULL AS INTEGER)", ExpressionType("INTEGER", nullable=True)),
        ("CAST(row_number() OVER (ORDER BY a) AS INTEGER)", ExpressionType("INTEGER", nullable=False)),
        ("CAST(CAST(a AS TEXT) AS BLOB)", ExpressionType("BLOB", nullable=True)),
        ("max(a)", None),
    ],
)
def test_type_of_an_expression(expression: str, expected: ExpressionType | None) -> None:
    plain, computed = Statement(f"SELECT t.a, {expression} AS named FROM t WHERE b = ','").items

    assert (plain.is_column, plain.alias) == (True, "")
    assert (computed.type, computed.alias, computed.is_column) == (expected, "named", False)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT count(*) FROM t", True),
        ("SELECT CAST(max(a) AS INTEGER) FROM t WHERE a > 1", True),
        ("SELECT EXISTS (SELECT 1 FROM t)", True),
        ("SELECT count(*) FROM t GROUP BY a", False),
        ("SELECT count(*) FROM t LIMIT ?1", False),
        ("SELECT max(a, b) FROM t", False),
        ("SELECT count(*) OVER (ORDER BY a) FROM t", False),
        ("SELECT (SELECT count(*) FROM u) FROM t", False),
        ("SELECT a FROM t", False),
        ("INSERT INTO t (a) VALUES (?1) RETURNING a", True),
        ("INSERT INTO t (a) VALUES (?1) ON CONFLICT (a) DO UPDATE SET a = excluded.a RETURNING a", True),
        ("INSERT INTO t (a) VALUES (?1) ON CONFLICT (a) DO UPDATE SET a = 1 WHERE a > 2 RETURNING a", False),
        ("INSERT INTO t (a) VALUES (?1) ON CONFLICT DO NOTHING RETURNING a", False),
        ("INSERT OR IGNORE INTO t (a) VALUES (?1) RETURNING a", False),
        ("INSERT INTO t (a) SELECT a FROM u RETURNING a", False),
        ("UPDATE t SET a = 1 RETURNING a", False),
        ("DELETE FROM t RETURNING a", False),
    ],
)
def test_whether_there_is_always_a_row(sql: str, expected: bool) -> None:
    assert Statement(sql).always_gives_a_row is expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1 FROM t WHERE a = ?1", True),
        ("SELECT 1 FROM t WHERE t.a >= ?1", True),
        ("SELECT 1 FROM t WHERE a IS NOT ?1", True),
        ("SELECT 1 FROM t WHERE a NOT LIKE ?1", True),
        ("SELECT 1 FROM t WHERE ?1 < a", True),
        ("SELECT 1 FROM t WHERE (a, b) < (?1, 2)", True),
        ("SELECT 1 FROM t WHERE a NOT IN (SELECT value FROM json_each(?1))", True),
        ("UPDATE t SET a = ?1, b = ?1 + 1", True),
        ("UPDATE t SET b = coalesce(b, ?1), a = ?1", True),
        ("UPDATE t SET a = coalesce(?1, a)", True),
        ("UPDATE t SET a = coalesce(a, ?1)", True),
        ("INSERT INTO t (b, a) VALUES (1, ?1), (2, 3)", True),
        ("INSERT INTO t (b, a) VALUES (1, 2), (3, ?1)", True),
        ("INSERT INTO t (b, a) SELECT b, ?1 FROM u", True),
        ("SELECT 1 FROM t WHERE a = ?1 COLLATE NOCASE", True),
        ("SELECT 1 FROM t WHERE b = ?1", False),
        ("SELECT 1 FROM t WHERE 5 + ?1 < a", False),
        ("SELECT 1 FROM t WHERE a = -?1", False),
        ("SELECT 1 FROM t WHERE (b - a, b) < (?1, 2)", False),
        ("SELECT 1 FROM t WHERE length(a) < (?1)", False),
        ("SELECT 1 FROM t WHERE coalesce(length(a), ?1) > 2", False),
        ("SELECT 1 FROM t WHERE coalesce(a, ?1) > 2", True),
        ("SELECT 1 FROM t WHERE b - a > ?1", False),
        ("SELECT 1 FROM t WHERE a > ?1 + 5", False),
        ("SELECT 1 FROM t WHERE ?1 < a - b", False),
        ("SELECT 1 FROM t WHERE a + ?1 > 5", False),
        ("SELECT 1 FROM t WHERE length(a) > ?1", False),
        ("SELECT 1 FROM t WHERE (b, a) < (2, ?1)", False),
        ("SELECT 1 FROM t WHERE length(a) IN (SELECT value FROM json_each(?1))", False),
        ("UPDATE t SET a = CASE WHEN ?1 THEN 1 ELSE 2 END", False),
        ("UPDATE t SET a = max(a, ?1)", False),
        ("UPDATE t SET a = max(a, 1), b = iif(?1, 1, 2)", False),
        ("INSERT INTO t (a) VALUES (abs(?1))", False),
        ("INSERT INTO t (a) VALUES (1 + ?1)", False),
    ],
)
def test_whether_a_parameter_has_the_type_of_the_column(sql: str, expected: bool) -> None:
    assert Statement(sql).has_certain_place(1, "a") is expected


@pytest.mark.parametrize(
    ("sources", "doubted"),
    [
        ("t", False),
        ("t JOIN u ON u.a = t.a LEFT JOIN v ON v.a = t.a LEFT OUTER JOIN w ON w.a = t.a", False),
        ("t, u LEFT JOIN v ON v.a = (SELECT 1 FROM x JOIN y)", False),
        ("t LEFT JOIN u ON u.a = t.a JOIN v ON v.a = t.a", True),
        ("t LEFT JOIN u ON u.a = t.a, v", True),
        ("t RIGHT JOIN u ON u.a = t.a", True),
        ("t FULL OUTER JOIN u ON u.a = t.a", True),
        ("(SELECT a FROM t)", True),
        ("t LEFT JOIN (SELECT a FROM u) AS u ON u.a = t.a", True),
    ],
)
def test_whether_a_column_may_be_null_unsaid(sources: str, doubted: bool) -> None:
    assert bool(Statement(f"SELECT a, (SELECT 1) FROM {sources} WHERE a = 1 ORDER BY a, b").doubt) is doubted
