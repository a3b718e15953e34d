"""What one bad client can do, each a small function: it goes on until it is cancelled."""

from tests.campaigns.attacks import frames, kept, unfinished
from tests.campaigns.attacks.front import ATTACKS, Attack, Front
from tests.campaigns.attacks.kept import HEARTBEATS_ONLY

__all__ = ["ATTACKS", "HEARTBEATS_ONLY", "Attack", "Front", "frames", "kept", "unfinished"]
