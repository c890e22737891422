"""Measurements of speed and quality: `suzani bench`."""
