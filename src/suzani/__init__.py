"""Suzani: a customer data platform for banks, from many systems to one customer."""

import os

# Arrow's memory comes from where all other does: what one array frees the next can use, whoever makes it.
# Arrow reads this once, when it is loaded.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

__version__ = "0.1.0"
