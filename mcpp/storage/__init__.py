"""One SQLite file: opening it, its migrations, the one writer and the readers (DESIGN.md, Persistence)."""
