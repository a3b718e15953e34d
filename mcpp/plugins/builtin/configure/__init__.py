"""Sets the configuration keys that a deployment wants, gently; see docs/plugins/configure.md."""

from __future__ import annotations

from mcpp.plugins.builtin.configure.plugin import Configure
from mcpp.plugins.builtin.configure.settings import ConfigureSettings

__all__ = ["Configure", "ConfigureSettings"]
