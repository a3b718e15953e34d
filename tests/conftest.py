"""Hypothesis' profiles; `pytest --hypothesis-profile=ci` takes another one than `dev`. And what all tests trust."""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path
from typing import Final

import certifi
import pytest
from hypothesis import HealthCheck, settings

# Modules and tests stay to the end, so nobody need look through them for garbage: neither while they are collected, nor
# at each full collection in a test, which would take half a second else.
gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.freeze()
    gc.enable()


_PEM_END: Final = "-----END CERTIFICATE-----\n"
_trusted = tempfile.TemporaryDirectory(prefix="mcpp-trusted-")

# Each HTTP client loads what it trusts, in 36 ms where that is every authority of the world. Tests talk to none of
# them, so one will do.
authorities = Path(_trusted.name, "ca.pem")
authorities.write_text(Path(certifi.where()).read_text("utf-8").partition(_PEM_END)[0] + _PEM_END, "utf-8")
os.environ["SSL_CERT_FILE"] = str(authorities)
# Clients that heed no variables ask here.
certifi.where = lambda: str(authorities)

# No example has a time limit, and none is "too slow": a loaded machine is no mistake of the code.
settings.register_profile("dev", max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Derandomized: what turns red is the change's doing. What `dev` finds by chance it remembers in .hypothesis.
settings.register_profile("ci", settings.get_profile("dev"), max_examples=25, derandomize=True, print_blob=True)

settings.load_profile("dev")
