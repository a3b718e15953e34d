"""MCPP, the Minimal Central Power Point: a central system for EV chargers that one person can run."""

__version__ = "0.1.0"
