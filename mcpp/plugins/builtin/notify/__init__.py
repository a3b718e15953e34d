"""Tells persons what needs them, by mail, messenger and whatever Apprise knows; see docs/plugins/notify.md."""

from __future__ import annotations

from mcpp.plugins.builtin.notify.plugin import Notify
from mcpp.plugins.builtin.notify.settings import NotifySettings

__all__ = ["Notify", "NotifySettings"]
