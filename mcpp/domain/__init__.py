"""The rules of charging, without OCPP, network or clock: synchronous functions over the typed queries."""
