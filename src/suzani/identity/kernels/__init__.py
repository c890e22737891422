"""Compiled inner loops of matching: pure functions from arrays to arrays.

Numba compiles each once per machine and keeps the result beside the source (or in the user's cache folder).
"""
