"""Hypothesis' profiles; `pytest --hypothesis-profile=ci` takes another one than `dev`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No example has a time limit, and none is "too slow": a loaded machine is no mistake of the code.
settings.register_profile("dev", max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Derandomized: what turns red is the change's doing. What `dev` finds by chance it remembers in .hypothesis.
settings.register_profile("ci", settings.get_profile("dev"), max_examples=25, derandomize=True, print_blob=True)

settings.load_profile("dev")
