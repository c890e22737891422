"""How kernels are compiled: each once per machine, on its first call.

What is compiled is kept beside the source (`__pycache__`); where that cannot be written to, in the
folder that NUMBA_CACHE_DIR names or in the user's cache folder.
"""

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
    # Numba knows this option, its type stubs do not.
    return njit(**_OPTIONS, _nrt=False)(function)  # type: ignore[call-overload,no-any-return]


def inlined(function: F) -> F:
    """Compile an inner function into each place that calls it.

    For what is called for every pair: handing over arrays costs more than a first look at a pair.
    """
    return njit(**_OPTIONS, _nrt=False, forceinline=True)(function)  # type: ignore[call-overload,no-any-return]


def summing(function: F) -> F:
    """Compile an inlined function that may add up in any order, several numbers at once."""
    fast = {"reassoc", "nsz"}
    return njit(**_OPTIONS, _nrt=False, forceinline=True, fastmath=fast)(function)  # type: ignore[call-overload,no-any-return]
