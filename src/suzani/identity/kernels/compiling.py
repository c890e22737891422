"""How kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}


def kernel(function: F) -> F:
    """Compile a function that is called from Python; it may make arrays."""
    return njit(**_OPTIONS)(function)  # type: ignore[no-any-return]


def inner(function: F) -> F:
    """Compile a function that kernels call once or more per pair; it must not make arrays.

    Without reference counting, which counts each array up and down at each call, and between threads does
    little else.
    """
    return njit(**_OPTIONS, _nrt=False)(function)  # type: ignore[no-any-return]
