"""What telemetry costs, measured: `python -m tools.bench` (docs/telemetry-cost.md)."""
