"""The built-in certificate authority for chargers: its keys on disk, what it signs, and what it has revoked."""
