"""The versions of charging stations."""

from __future__ import annotations

import pytest

from mcpp.csms.version import KnownVersion
from mcpp.ocpp2.known import KNOWN_21, KNOWN_201


@pytest.fixture(params=[KNOWN_201, KNOWN_21], ids=["2.0.1", "2.1"])
def version(request: pytest.FixtureRequest) -> KnownVersion:
    known: KnownVersion = request.param
    return known
