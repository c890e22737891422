from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.kernels import numbering
from suzani.identity.values.dictionary import distinct

FEW_AND_MANY = pytest.mark.parametrize("values", [1, 3, 300, numbering._MOST_KNOWN - 1, 60_000])


@given(st.lists(st.none() | st.text(max_size=3)), st.integers(0, 20))
def test_equal_values_get_one_number_in_the_order_of_appearance(values: list[str | None], cut: int) -> None:
    array = pa.array(values, pa.string())[cut:]
    texts, codes = distinct(array)
    wanted = list(dict.fromkeys(text for text in values[cut:] if text))
    assert texts.to_pylist() == wanted
    assert codes.tolist() == [wanted.index(text) if text else -1 for text in values[cut:]]


@pytest.mark.parametrize("sign", ["b", "\0", "ў"])
def test_one_sign_is_enough_to_tell_values_apart_wherever_it_stands(sign: str) -> None:
    alike = ["a" * size for size in range(1, 40)]
    values = [text[:at] + sign + text[at + 1 :] for text in alike for at in range(len(text))]
    texts, codes = distinct([*values, *alike, *values])
    assert len(texts) == len(values) + len(alike)
    assert codes[: len(values)].tolist() == codes[-len(values) :].tolist()


@FEW_AND_MANY
def test_however_many_values_there_are_they_are_numbered_alike(values: int) -> None:
    rows = np.random.default_rng(values).integers(-1, values, 100_000)
    texts = [f"value {row}" if row >= 0 else "" for row in rows.tolist()]
    held, codes = distinct(texts)
    assert held.take(pa.array(codes, mask=codes < 0)).fill_null("").to_pylist() == texts
    assert len(held) == len(set(texts) - {""})
    assert codes[np.unique(codes, return_index=True)[1]].max() == len(held) - 1
