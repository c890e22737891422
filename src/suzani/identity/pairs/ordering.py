"""Sorting numbers: unstable sorts of NumPy use vector instructions, stable ones take four times as long."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def stable_order(keys: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The places of keys in their order, equal ones in that of their places, as `argsort(kind="stable")`; for
    keys of which few are equal."""
    order = np.argsort(keys)
    ordered = keys[order]
    equal = ordered[1:] == ordered[:-1]
    if equal.any():
        tied = np.flatnonzero(np.append(equal, False) | np.append(False, equal))
        places = order[tied]
        order[tied] = places[np.lexsort((places, ordered[tied]))]
    return order
