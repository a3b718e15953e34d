"""What every OCPP version shares: a CALL's context and decoding, the object that a version is, operations, commands."""
