"""The HTTP side: API, health, metrics and their documentation (INTERFACE.md §3)."""
