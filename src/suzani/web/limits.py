"""Limits of what a request may name."""

from __future__ import annotations

from typing import Final

LARGEST_ID: Final = 2**63 - 1
"""The largest id that PostgreSQL holds."""
