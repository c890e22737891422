"""Resolving the records of the platform: full runs, deltas, and one record at a time.

`service` is the run and the delta, `jobs` what the worker does of it, `online` resolves single records as
they come, `ahead` sends new ones to the database without asking it first.
"""
