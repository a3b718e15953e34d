"""OCPP-J without I/O and without a version: frames, session, actions, flow, repair."""
