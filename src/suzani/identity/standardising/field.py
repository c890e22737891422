"""One piece of evidence about every record, as the matching kernels take it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from suzani.identity.values.dictionary import Codes
from suzani.identity.values.documents import Identifier
from suzani.identity.values.texts import Texts, as_array, as_list
from suzani.kernel import Kind


@dataclass(frozen=True)
class Field:
    """One piece of evidence about every record.

    `values` are the distinct standard forms; `codes` (rows × alternatives, int32) point into them, -1 where
    the record has none. Given, family and middle names share one object of values, so that they can be
    compared across.
    """

    name: str
    kind: Kind
    values: Texts
    codes: Codes
    scheme: Identifier | None = None

    def reordered(self, order: npt.NDArray[np.int64]) -> Field:
        """The field with its records in another order."""
        return replace(self, codes=self.codes[order])

    @cached_property
    def texts(self) -> pa.StringArray:
        """The distinct standard forms as an Arrow array."""
        return as_array(self.values)

    def said(self, codes: npt.NDArray[np.integer]) -> list[str]:
        """The values of some codes, none of them missing."""
        return as_list(self.texts.take(pa.array(codes)))

    @property
    def rows(self) -> int:
        """Number of records."""
        return int(self.codes.shape[0])

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """How many records hold each value (first alternative and others alike)."""
        held = self.codes[self.codes >= 0]
        return np.bincount(held, minlength=len(self.values)).astype(np.int64)

    @cached_property
    def valid(self) -> npt.NDArray[np.bool_]:
        """Which values pass the check digit of the field's scheme; one more, False, for a missing value."""
        passed = self.scheme.valid(self.values) if self.scheme else np.zeros(len(self.values), dtype=bool)
        return np.append(passed, False)

    @property
    def filled(self) -> npt.NDArray[np.bool_]:
        """Which records have a value."""
        codes = self.codes
        return codes[:, 0] >= 0 if codes.shape[1] == 1 else np.asarray((codes >= 0).any(axis=1))
