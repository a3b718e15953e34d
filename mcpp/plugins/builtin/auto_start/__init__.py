"""Starts charging by itself where a car is plugged in: once for each plug-in, with a few tries."""

from __future__ import annotations

from mcpp.plugins.builtin.auto_start.plugin import AutoStart
from mcpp.plugins.builtin.auto_start.settings import AutoStartSettings

__all__ = ["AutoStart", "AutoStartSettings"]
