"""How kernels are compiled: each once per machine and state of the kernels, on its first call."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from numba import config, njit
from numba.core.registry import cpu_target

F = TypeVar("F", bound=Callable[..., Any])

_SOURCES = Path(__file__).parent
_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "forceinline": False}
"""Inlining is refused by name: left open, a function takes it over from the first that calls it, and what is
called for every pair would be compiled with all that it ever calls, many times over."""
_INNER = {**_OPTIONS, "_nrt": False}
_INLINED = {**_INNER, "forceinline": True}


def _keep_compiled(base: Path) -> None:
    """Keep what is compiled in a folder that is named after the sources of all kernels.

    Numba compiles a function again when its own file has changed, not when one it calls has: by that alone a
    new version would run on what was compiled of an old one.
    """
    sources = b"".join(path.read_bytes() for path in sorted(_SOURCES.glob("*.py")))
    folder = base / f"kernels-{hashlib.sha256(sources).hexdigest()[:16]}"
    for old in base.glob("kernels-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]


def _base() -> Path:
    """Where NUMBA_CACHE_DIR says; else beside the sources, or in the user's cache if these are read-only."""
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(given)
    if os.access(_SOURCES, os.W_OK):
        return _SOURCES / "__pycache__"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "suzani"


_keep_compiled(_base())


def start() -> None:
    """Load what the compiler imports of itself when the first kernel is called."""
    cpu_target.target_context.refresh()


def kernel(function: F) -> F:
    """Compile a function that is called from Python; it may make arrays."""
    return njit(**_OPTIONS)(function)  # type: ignore[no-any-return]


def inner(function: F) -> F:
    """Compile a function that kernels call; it must not make arrays.

    Without reference counting, which counts each array up and down at each call, and between threads does
    little else.
    """
    return njit(**_INNER)(function)  # type: ignore[no-any-return]


def inlined(function: F) -> F:
    """Compile an inner function into each place that calls it.

    For what is called for every pair: handing over arrays costs more than a first look at a pair.
    """
    return njit(**_INLINED)(function)  # type: ignore[no-any-return]


def summing(function: F) -> F:
    """Compile an inlined function that may add up in any order, several numbers at once."""
    return njit(**_INLINED, fastmath={"reassoc", "nsz"})(function)  # type: ignore[no-any-return]
