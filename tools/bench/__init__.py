"""What MCPP costs, measured from outside: `python -m tools.bench` (docs/performance.md, docs/telemetry-cost.md)."""
