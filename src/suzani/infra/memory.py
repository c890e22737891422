"""Memory that a run keeps for its next array, in place of giving it back and asking for more.

Memory fresh from the system is dear: each page is cleared first, and on a virtual machine the host may have
to find it as well. A run over all records makes hundreds of large arrays one after the other; as the C
library does by itself, each of them is fresh.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Final

_TRIM_THRESHOLD: Final = -1
_TOP_PAD: Final = -2
_MMAP_THRESHOLD: Final = -3
_MMAP_MAX: Final = -4
_ARENA_MAX: Final = -8
"""Options of mallopt(3), by the numbers of glibc's malloc.h."""

_KEEPING: Final = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 64 << 20}
"""No array is mapped by itself, nothing is given back, and the heap grows in large steps."""

_PLAIN: Final = {_MMAP_MAX: 1 << 16, _TRIM_THRESHOLD: 8 << 20, _TOP_PAD: 1 << 17, _MMAP_THRESHOLD: 4 << 20}
"""About what a process comes to that has run for a while: that the C library finds its own thresholds is over
once one was set."""

_guard = Lock()
_inside = 0


def share() -> None:
    """Let all threads to come take their memory from one heap, where what one frees any other can use.

    A thread with a heap of its own maps large arrays anew, `kept` or not. Where threads share Python's lock,
    separate heaps only hold more memory. To be called before there are threads.
    """
    _set({_ARENA_MAX: 1})


@contextmanager
def kept() -> Iterator[None]:
    """Keep freed memory for reuse until the outermost such block of the process ends, then give it back; a
    decorator, too.

    For runs that make many large arrays, not for what serves requests; in other threads than the first it
    takes `share`. Nor is what was there before looked through for garbage meanwhile, which takes as long as
    some phases of a run. Without glibc memory goes as ever.
    """
    global _inside
    with _guard:
        _inside += 1
        if _inside == 1:
            gc.freeze()
            _set(_KEEPING)
    try:
        yield
    finally:
        with _guard:
            _inside -= 1
            if _inside == 0:
                gc.unfreeze()
                _set(_PLAIN)
                _give_back()


def _set(options: Mapping[int, int]) -> None:
    if library := _glibc():
        for option, value in options.items():
            library.mallopt(option, value)


def _give_back() -> None:
    if library := _glibc():
        library.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    """The C library, if it is glibc."""
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):
        return None
    return library if hasattr(library, "gnu_get_libc_version") else None
