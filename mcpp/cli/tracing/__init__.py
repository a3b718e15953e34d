"""`mcpp trace`: what happened to a charging session or a charge point, told from the books and the log."""
