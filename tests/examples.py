"""How many examples a property is tried with."""

from __future__ import annotations

from hypothesis import settings


def examples(times: float, *, steps: int | None = None) -> settings:
    """A multiple of the profile's examples, each of at most so many steps where it is a state machine's."""
    profile = settings()
    return settings(
        max_examples=max(1, round(profile.max_examples * times)),
        stateful_step_count=steps or profile.stateful_step_count,
    )
