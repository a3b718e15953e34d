"""From the socket to the session: the listener, its connections and the charge points that are live."""
