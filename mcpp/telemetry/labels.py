"""Label values that mean the same in every metric."""

OTHER = "_OTHER"
"""Stands for every value outside of its closed set: text that a charger made up."""
