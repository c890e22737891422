"""The alternatives of fields, side by side."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.kernels.columns import close_up


@given(st.lists(st.lists(st.integers(-1, 3), min_size=6, max_size=6), max_size=20))
def test_alternatives_move_up_in_their_order_and_stay_in_their_field(rows: list[list[int]]) -> None:
    codes = np.array(rows, dtype=np.int32).reshape(-1, 6)
    close_up(codes, np.array([0, 1, 3]), np.array([1, 2, 3]))
    fields = ((0, 1), (1, 3), (3, 6))
    expected = [
        [code for first, end in fields for code in sorted(row[first:end], key=lambda code: code < 0)]
        for row in rows
    ]
    assert codes.tolist() == expected
