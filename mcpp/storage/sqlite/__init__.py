"""One SQLite file: opening it, its migrations, those who read it and the commands that work beside a server."""
