"""OCPP 1.6: thin translators between the wire and the domain, one module per feature profile."""
