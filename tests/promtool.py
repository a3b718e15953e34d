"""Prometheus' own tool, where it is installed; CI must have it."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


def promtool(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run promtool. Skips the test where there is none, unless in CI."""
    path = shutil.which("promtool")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("promtool is missing; it comes with Debian's package prometheus")
        pytest.skip("promtool is not installed")
    return subprocess.run([path, *arguments], input=stdin, capture_output=True, timeout=30, check=False)
