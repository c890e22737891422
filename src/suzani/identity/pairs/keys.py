"""The blocking keys of a record: which forms of which values, under which names."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suzani.identity.kernels.hashing import WHOLE
from suzani.identity.kernels.levels import COUNT, FIRST, Layout
from suzani.identity.kernels.marks import KEY
from suzani.kernel import Kind

_PAIRS = (1, 2, 3)
"""Forms of a text: its rarest words two by two."""
_OF_KIND: Mapping[Kind, tuple[tuple[str, tuple[int, ...]], ...]] = {
    Kind.BIRTH_DATE: (("date", (WHOLE,)), ("year", (0,)), ("month and day", (1,))),
    Kind.EMAIL: (("email", (WHOLE,)), ("mailbox", (0,))),
    Kind.ADDRESS: (("address", (WHOLE,)), ("address words", _PAIRS)),
    Kind.ORGANISATION: (("text:{}", (WHOLE,)), ("text:{} words", _PAIRS)),
    Kind.TEXT: (("text:{}", (WHOLE,)), ("text:{} words", _PAIRS)),
    Kind.CITY: (("city", (0,)),),
    Kind.PHONE: (("phone", (WHOLE,)),),
    Kind.NATIONAL_ID: (("id:{}", (WHOLE,)),),
    Kind.DOCUMENT: (("id:{}", (WHOLE,)),),
    Kind.POSTCODE: (("postcode", (WHOLE,)),),
    Kind.OCCUPATION: (("occupation", (WHOLE,)),),
    Kind.SEX: (("sex", (WHOLE,)),),
}
_NAMES = {"given_name": "given", "family_name": "family", "middle_name": "middle"}


@dataclass(frozen=True)
class Source:
    """A source of blocking keys: a name and its columns in the matrix of keys."""

    name: str
    first: int
    count: int


@dataclass(frozen=True)
class Keys:
    """How keys are made: per column of the matrix of keys, the column of codes it is of, the form of the
    value (WHOLE: the value itself), and the first column of its source (`table`, columns × 3)."""

    table: npt.NDArray[np.int64]
    sources: tuple[Source, ...]

    @classmethod
    def of(cls, fields: Sequence[tuple[str, Kind]], layout: Layout) -> Keys:
        """The keys that fields (name, kind) give."""
        rows: list[tuple[int, int, int]] = []
        sources: list[Source] = []

        def add(name: str, columns: Sequence[tuple[int, int]]) -> None:
            sources.append(Source(name, len(rows), len(columns)))
            rows.extend((column, form, sources[-1].first) for column, form in columns)

        anyone: list[tuple[int, int]] = []
        for (name, kind), (first, count) in zip(
            fields, layout.table[:, [FIRST, COUNT]].tolist(), strict=True
        ):
            held = range(first, first + count)
            if name in _NAMES:
                sounds = [(column, KEY) for column in held]
                add(_NAMES[name], sounds)
                anyone += {"given": sounds[:1], "family": sounds, "middle": []}[_NAMES[name]]
            else:
                for source, forms in _OF_KIND.get(kind, ()):
                    add(source.format(name), [(column, form) for column in held for form in forms])
        if anyone:
            add("name", anyone)
        return cls(np.array(rows, dtype=np.int64).reshape(-1, 3), tuple(sources))

    def only(self, names: Container[str]) -> Keys:
        """The keys of some sources."""
        tables, sources, first = [self.table[:0]], list[Source](), 0
        for source in self.sources:
            if source.name in names:
                table = self.table[source.first : source.first + source.count].copy()
                table[:, 2] += first - source.first
                tables.append(table)
                sources.append(Source(source.name, first, source.count))
                first += source.count
        return Keys(np.concatenate(tables), tuple(sources))
