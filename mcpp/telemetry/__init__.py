"""How the system explains itself: log lines, metrics, and the one middleware that watches every message."""
