"""Shares the current of a site among its chargers, so that its fuse never has to; see docs/plugins/load_limit.md."""

from __future__ import annotations

from mcpp.plugins.builtin.load_limit.plugin import LoadLimit
from mcpp.plugins.builtin.load_limit.settings import LoadLimitSettings

__all__ = ["LoadLimit", "LoadLimitSettings"]
