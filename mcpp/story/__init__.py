"""What happened in a charging session, or to a charge point: put together from the database and the server's log."""
