"""Ends a charging session once it has taken a certain energy."""

from pydantic import Field

from mcpp.plugins import MeterValuesReceived, PluginSettings, Site, hookimpl


class Settings(PluginSettings, env_prefix="MCPP_PLUGIN_ENERGY_CAP_"):
    watt_hours: int = Field(gt=0)


class EnergyCap:
    def __init__(self) -> None:
        self._cap = Settings().watt_hours
        self._full: set[int] = set()

    @hookimpl
    async def meter_values_received(self, event: MeterValuesReceived, site: Site) -> None:
        transaction_id = event.transaction_id
        if transaction_id is None or event.energy_wh is None or transaction_id in self._full:
            return
        if event.energy_wh >= self._cap:
            self._full.add(transaction_id)
            accepted = await site.verbs.remote_stop(event.charge_point_id, transaction_id)
            site.log.info("energy_cap_reached", transaction_id=transaction_id, accepted=accepted)
