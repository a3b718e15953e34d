"""Metrics: what is counted, and how a scrape is rendered."""
