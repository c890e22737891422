"""Suzani: a customer data platform for banks, from many systems to one customer."""

__version__ = "0.1.0"
