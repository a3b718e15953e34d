"""The settings of the server: `model` has each of them, `values` their kinds, `texts` how they are named and shown."""

from mcpp.settings.model import Settings, default_text
from mcpp.settings.shown import shown_settings
from mcpp.settings.texts import allowed_range, as_text, documented, flag, is_number, setting, variable
from mcpp.settings.values import AuthorizationMode, ConcurrentTx, Registration, is_loopback

__all__ = [
    "AuthorizationMode",
    "ConcurrentTx",
    "Registration",
    "Settings",
    "allowed_range",
    "as_text",
    "default_text",
    "documented",
    "flag",
    "is_loopback",
    "is_number",
    "setting",
    "shown_settings",
    "variable",
]
