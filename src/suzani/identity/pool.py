"""All distinct values of a bank's records, to which the values of one more record can be added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suzani.identity.field import Field
from suzani.identity.growing import Growing, Table
from suzani.identity.kernels import hashing, lookup
from suzani.identity.kernels.levels import COUNT, FIRST, GROUP, NAME, Values
from suzani.identity.knowledge import Learned
from suzani.identity.packing import WAYS, Packed, pack, texts_of
from suzani.identity.scoring import rarity_bits
from suzani.kernel import Kind

Codes = npt.NDArray[np.int32]
_SALT = np.uint64(0xD6E8FEB86659FD93)
_NAMES = "names"


def _list_of(field: str, kind: Kind) -> str:
    """The list of values that a field is written in: given and family names share one, as `standardise` has
    it."""
    return _NAMES if kind in (Kind.GIVEN_NAME, Kind.FAMILY_NAME) else field


@dataclass(frozen=True)
class Mark:
    """How much a pool held at one moment."""

    values: int
    text: int
    group: int


class Pool:
    """Values by number, with what comparing needs to know of each; grows and forgets what came last."""

    def __init__(self, learned: Learned, packed: Packed) -> None:
        self.learned = learned
        self.fields = packed.fields
        self.layout = packed.layout
        self._lists = [_list_of(name, kind) for name, kind in packed.fields]
        lists = list(dict.fromkeys(self._lists))
        salts = np.arange(1, len(lists) + 1, dtype=np.uint64) * _SALT
        self._salt = dict(zip(lists, salts, strict=True))
        self._column = {name: int(kind is Kind.FAMILY_NAME) for name, kind in packed.fields}
        self._text = Growing(packed.values.text[: packed.values.start[-1]])
        self._start = Growing(packed.values.start - packed.values.start[0])
        self._form = Growing(packed.values.form)
        self._group = Growing(packed.values.group)
        self._hash = Growing(packed.hashes)
        self._rarity = Growing(learned.knowledge.weights(packed).rarity)
        self._known = self._all_known(packed)

    @property
    def values(self) -> Values:
        """The values as the kernels read them; valid until the next addition."""
        return Values(self._text.view, self._start.view, self._form.view, self._group.view)

    @property
    def hashes(self) -> npt.NDArray[np.uint64]:
        """A hash of each value."""
        return self._hash.view

    @property
    def rarity(self) -> npt.NDArray[np.float32]:
        """What agreement on each value adds, in bits."""
        return self._rarity.view

    def mark(self) -> Mark:
        """Where the pool ends now."""
        return Mark(self._hash.size, self._text.size, self._group.size)

    def forget(self, mark: Mark) -> None:
        """Take away the values added since; they must not have been entered."""
        self._text.cut(mark.text)
        self._group.cut(mark.group)
        self._start.cut(mark.values + 1)
        for array in (self._form, self._hash, self._rarity):
            array.cut(mark.values)

    def codes_of(self, record: Mapping[str, Sequence[str]], keep: bool) -> Codes:
        """The row of codes of a standardised record; unknown values are added, and entered if `keep`."""
        codes = np.full(int(self.layout.table[:, COUNT].sum()), -1, dtype=np.int32)
        places: list[tuple[int, int, str]] = []
        for f, (name, _) in enumerate(self.fields):
            first = int(self.layout.table[f, FIRST])
            places += [(f, first + i, text) for i, text in enumerate(record[name]) if text]
        if not places:
            return codes
        columns = [column for _, column, _ in places]
        hashes = hashing.hash_values(*texts_of([text for _, _, text in places]))
        salted = hashes ^ np.array([self._salt[self._lists[f]] for f, _, _ in places])
        codes[columns] = self._known.find(salted)
        unknown = [i for i, column in enumerate(columns) if codes[column] == lookup.NONE]
        if unknown:
            self._add([places[i] for i in unknown], salted[unknown], codes, keep)
        return codes

    def _add(
        self, places: Sequence[tuple[int, int, str]], salted: npt.NDArray[np.uint64], codes: Codes, keep: bool
    ) -> None:
        """Give numbers to values that are not known yet: one to each, wherever it stands in the record."""
        numbers: dict[int, int] = {}
        fresh: list[Field] = []
        for (f, _, text), key in zip(places, salted.tolist(), strict=True):
            if key not in numbers:
                numbers[key] = self._hash.size + len(numbers)
                name, kind = self.fields[f]
                scheme = self.learned.norms.scheme_of(name)
                fresh.append(Field(name, kind, [text], np.zeros((1, 1), np.int32), scheme))
        self._extend(pack(fresh, 1, self.learned.knowledge.words), fresh)
        for (_, column, _), key in zip(places, salted.tolist(), strict=True):
            codes[column] = numbers[key]
        if keep:
            keys = np.array(list(numbers), dtype=np.uint64)
            self._known.put(keys, np.array(list(numbers.values()), dtype=np.int32))

    def _extend(self, packed: Packed, fresh: Sequence[Field]) -> None:
        """Append packed values, one of each field."""
        form = packed.values.form.copy()
        form[:, GROUP] += np.array(
            [self._group.size if WAYS[f.kind] == NAME and g else 0
             for f, g in zip(fresh, form[:, GROUP].tolist(), strict=True)],
            dtype=np.uint32,
        )  # fmt: skip
        self._group.extend(packed.values.group)
        self._start.extend(packed.values.start[1:] - packed.values.start[0] + self._text.size)
        self._text.extend(packed.values.text[packed.values.start[0] : packed.values.start[-1]])
        self._form.extend(form)
        self._hash.extend(packed.hashes)
        rarity = np.zeros((len(fresh), 2), dtype=np.float32)
        for value, item in enumerate(fresh):
            self._weigh(rarity[value], item, packed.hashes[value : value + 1])
        self._rarity.extend(rarity)

    def _weigh(self, rarity: npt.NDArray[np.float32], item: Field, hash_: npt.NDArray[np.uint64]) -> None:
        """Rarity of a value in every field that may hold it and weighs frequency."""
        knowledge = self.learned.knowledge
        own = _list_of(item.name, item.kind)
        for learned, (name, kind), list_ in zip(
            knowledge.model.fields, self.fields, self._lists, strict=True
        ):
            if learned.weighs_frequency and list_ == own:
                held = knowledge.held_by(name, hash_)
                bits = rarity_bits(
                    held, float(knowledge.filled[name]), learned.u[-1], knowledge.model.prior, kind.value
                )
                rarity[self._column[name]] = bits[0]

    def _all_known(self, packed: Packed) -> Table:
        """The numbers of all values by their hash, salted with the list they belong to."""
        keys, numbers = [], []
        seen = np.zeros(len(packed.hashes) + 1, dtype=bool)
        for f, list_ in enumerate(self._lists):
            first, count = packed.layout.table[f, FIRST], packed.layout.table[f, COUNT]
            held = np.zeros_like(seen)
            held[packed.codes[:, first : first + count]] = True
            fresh = np.flatnonzero(held[:-1] & ~seen[:-1])
            seen |= held
            keys.append(packed.hashes[fresh] ^ self._salt[list_])
            numbers.append(fresh.astype(np.int32))
        if not keys:
            return Table(np.empty(0, np.uint64), np.empty(0, np.int32))
        return Table(np.concatenate(keys), np.concatenate(numbers))
