"""Traits: what is counted, summed and remembered of a person's events."""
