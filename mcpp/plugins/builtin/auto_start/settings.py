"""Settings of the plugin `auto_start`, besides the server's `auto-start` and `auto-start-id-tag`."""

from __future__ import annotations

from pydantic import Field

from mcpp.plugins.settings import PluginSettings


class AutoStartSettings(PluginSettings, env_prefix="MCPP_PLUGIN_AUTO_START_"):
    """Settings of the plugin `auto-start`."""

    tries: int = Field(3, ge=1, le=10, description="How often a start is asked for in one plug-in.")
    retry_delay: float = Field(
        5.0, gt=0, le=3600, description="Seconds before a refused start is asked for again; doubled each time."
    )
    start_timeout: float = Field(
        30.0, gt=0, le=3600, description="Seconds in which a transaction must begin after a charger accepted to start."
    )
    settle_time: float = Field(
        3.0, gt=0, le=3600, description="Seconds for a charger that connected or booted to report how it stands."
    )
