"""Suzani: a customer data platform for banks, from many systems to one customer."""

import os

# Both are read once, when these libraries are loaded. Arrow's memory comes from where all other does: what
# one array frees the next can use, whoever makes it. And NumPy asks for no huge pages: each is cleared as a
# whole when its first byte is written, which cost more than fewer pages saved.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")

__version__ = "0.1.0"
