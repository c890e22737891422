"""Arrays that grow at the end, and hash tables over them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels import lookup

_ROOM = 1_024


class Growing:
    """An array whose rows are appended and, at the end, taken away again."""

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self.size = 0
        self._data = np.empty((max(len(array) + len(array) // 4, _ROOM), *array.shape[1:]), array.dtype)
        self.extend(array)

    @property
    def view(self) -> npt.NDArray[Any]:
        """All rows; valid until the next addition."""
        return self._data[: self.size]

    def extend(self, rows: npt.NDArray[Any]) -> None:
        """Append rows."""
        self.room(len(rows))[:] = rows

    def room(self, rows: int) -> npt.NDArray[Any]:
        """Append so many rows, which are to be filled; valid until the next addition."""
        self._reserve(rows)
        first, self.size = self.size, self.size + rows
        return self._data[first : self.size]

    def cut(self, size: int) -> None:
        """Take away all rows from `size` on."""
        self.size = size

    def _reserve(self, rows: int) -> None:
        if self.size + rows > len(self._data):
            room = max(self.size + self.size // 4, self.size + rows)
            larger = np.empty((room, *self._data.shape[1:]), dtype=self._data.dtype)
            larger[: self.size] = self._data[: self.size]
            self._data = larger


class Table:
    """Numbers by 64-bit key."""

    def __init__(self, keys: npt.NDArray[np.uint64], numbers: npt.NDArray[np.int32]) -> None:
        self._entered = 0
        self._clear(max(2 * len(keys), _ROOM))
        self.put(keys, numbers)

    @property
    def keys(self) -> npt.NDArray[np.uint64]:
        """The keys by slot."""
        return self._keys

    @property
    def numbers(self) -> npt.NDArray[np.int32]:
        """The numbers by slot, `lookup.NONE` where it is free."""
        return self._numbers

    def put(self, keys: npt.NDArray[np.uint64], numbers: npt.NDArray[np.int32]) -> None:
        """Enter numbers, replacing those of keys that are there."""
        self._reserve(len(keys))
        self._entered += lookup.put(self._keys, self._numbers, keys, numbers)

    def chain(self, keys: npt.NDArray[np.uint64], first: int) -> npt.NDArray[np.int32]:
        """Enter the numbers from `first` on; returns the number that each takes the place of."""
        self._reserve(len(keys))
        before, fresh = lookup.chain(self._keys, self._numbers, keys, first)
        self._entered += fresh
        return np.asarray(before)

    def find(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        """The number of each key, `lookup.NONE` where there is none."""
        return np.asarray(lookup.find(self._keys, self._numbers, keys))

    def _reserve(self, more: int) -> None:
        if 2 * (self._entered + more) > len(self._keys):
            held = self._numbers != lookup.NONE
            known, entered = self._keys[held], self._numbers[held]
            self._clear(4 * (len(known) + more))
            self._entered = lookup.put(self._keys, self._numbers, known, entered)

    def _clear(self, room: int) -> None:
        slots = 1 << max(room - 1, 1).bit_length()
        self._keys = np.zeros(slots, dtype=np.uint64)
        self._numbers = np.full(slots, lookup.NONE, dtype=np.int32)
        self._entered = 0
