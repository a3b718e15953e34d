"""OCPP 2.0.1 and 2.1: thin translators between the wire and the domain, one module per functional block.

2.1 is 2.0.1 widened, so every handler is typed by 2.1's models and exists once. What speaks 2.0.1 is judged by 2.0.1's
own models first (mcpp.ocpp2.widening).
"""
