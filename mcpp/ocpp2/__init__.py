"""OCPP 2.0.1 and 2.1, a room of their own: one set of handlers, two dialects."""
