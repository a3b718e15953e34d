"""Fixtures of the plugins' tests."""

from __future__ import annotations

import pytest

from tests.unit.plugins.auto_start_world import World


@pytest.fixture
def world() -> World:
    return World()
