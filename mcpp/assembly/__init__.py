"""How the server is put together: its parts, then what listens. Only the composition root imports it."""
