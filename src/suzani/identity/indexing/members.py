"""Which person each record belongs to, and which records each person has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Members(Mapping[int, int]):
    """The person of each record, changed by `move`; and the records of each person."""

    def __init__(self, record_id: Ints, person_id: Ints) -> None:
        order = np.argsort(person_id, kind="stable")
        records, persons = record_id[order], person_id[order]
        starts = np.flatnonzero(np.append(True, persons[1:] != persons[:-1]))[: len(persons)].tolist()
        listed = records.tolist()
        self._records: dict[int, tuple[int, ...]] = {}
        self._person: dict[int, int] = {}
        for start, end, person in zip(
            starts, [*starts[1:], len(listed)], persons[starts].tolist(), strict=True
        ):
            self._records[person] = own = tuple(listed[start:end])
            self._person.update(dict.fromkeys(own, person))

    def __getitem__(self, record: int) -> int:
        return self._person[record]

    def __contains__(self, record: object) -> bool:
        return record in self._person

    def __iter__(self) -> Iterator[int]:
        return iter(self._person)

    def __len__(self) -> int:
        return len(self._person)

    def records_of(self, person: int) -> tuple[int, ...]:
        """The records of a person."""
        return self._records.get(person, ())

    def move(self, record: int, person: int | None) -> None:
        """Let a record belong to a person, or, for None, to nobody."""
        before = self._person.pop(record, None)
        if before is not None:
            rest = tuple(other for other in self._records[before] if other != record)
            if rest:
                self._records[before] = rest
            else:
                del self._records[before]
        if person is not None:
            self._person[record] = person
            self._records[person] = (*self.records_of(person), record)
