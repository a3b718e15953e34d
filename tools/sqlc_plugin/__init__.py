"""Typed Python from the migrations and `queries/*.sql`: a process plugin of sqlc for SQLite.

sqlc parses and checks the SQL and hands over what it found (`request`). Each statement is read once more for what sqlc
types wrongly on SQLite (`statement`), the database itself prepares it (`schema`), types are settled or refused
(`resolve`), and the package is written (`render`).
"""
