"""Measurements of speed and quality: `suzani bench`."""

from suzani.bench.types import Machine, Report, Sample

__all__ = ["Machine", "Report", "Sample"]
