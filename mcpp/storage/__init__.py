"""The database: the one writer and what it asks of an engine (`engine`), and SQLite as that engine (`sqlite/`)."""
