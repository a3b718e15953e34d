"""Spans: what is recorded of flows and sessions, and its way to a collector."""
