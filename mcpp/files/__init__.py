"""Firmware that chargers fetch, diagnostics and logs that they put: over HTTP, by links that nobody can guess."""
