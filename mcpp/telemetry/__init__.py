"""How the system explains itself: log lines, metrics, and the one observer that watches every message."""
