from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.pairs.ordering import stable_order


@given(st.lists(st.one_of(st.integers(0, 5), st.integers(0, 2**64 - 1))))
def test_the_order_is_that_of_a_stable_sort(values: list[int]) -> None:
    keys = np.array(values, dtype=np.uint64)
    assert stable_order(keys).tolist() == np.argsort(keys, kind="stable").tolist()
