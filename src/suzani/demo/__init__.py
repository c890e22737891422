"""A generated bank to try the platform on: seven systems' extracts, and the truth behind them."""

from suzani.demo.generator import generate
from suzani.demo.types import Generated

__all__ = ["Generated", "generate"]
