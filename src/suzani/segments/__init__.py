"""Segments: who is in a group of customers now, by rules over all that is known."""
