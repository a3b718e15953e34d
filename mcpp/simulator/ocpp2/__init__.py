"""Virtual charging stations of OCPP 2.0.1 and 2.1.

They are typed by 2.1's models: what these allow beyond 2.0.1 isn't used, so that a central system of either takes it.
"""
