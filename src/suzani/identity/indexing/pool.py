"""All distinct values of a bank's records, to which the values of one more record can be added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, groupby

import numpy as np
import numpy.typing as npt

from suzani.identity.indexing.growing import Growing, Table
from suzani.identity.kernels import lookup, pooling
from suzani.identity.kernels.columns import close_up
from suzani.identity.kernels.levels import COUNT, FIRST, Values
from suzani.identity.kernels.pooling import Room
from suzani.identity.learning.knowledge import Learned
from suzani.identity.models.model import FieldModel
from suzani.identity.pairs.packing import Packed, form_values, texts_of
from suzani.identity.pairs.scoring import list_of, rarity_bits
from suzani.identity.standardising.field import Field
from suzani.kernel import Kind

Codes = npt.NDArray[np.int32]
Standard = Mapping[str, Sequence[str]]
"""A standardised record: the values of every field."""

_SALT = np.uint64(0xD6E8FEB86659FD93)
_NOWHERE = np.zeros((1, 1), np.int32)
_UNHEARD = "unheard"


@dataclass(frozen=True)
class Mark:
    """How much a pool held at one moment."""

    values: int
    text: int
    group: int


class Pool:
    """Values by number, with what comparing needs to know of each; grows and forgets what came last."""

    def __init__(self, learned: Learned, packed: Packed, rarity: npt.NDArray[np.float32]) -> None:
        self.learned = learned
        self.fields = packed.fields
        self.layout = packed.layout
        self._lists = [list_of(name, kind) for name, kind in packed.fields]
        lists = list(dict.fromkeys(self._lists))
        salts = np.arange(1, len(lists) + 1, dtype=np.uint64) * _SALT
        self._salt = dict(zip(lists, salts, strict=True))
        self._field_of = np.repeat(np.arange(len(packed.fields)), packed.layout.table[:, COUNT]).tolist()
        self._salts = np.array([self._salt[self._lists[f]] for f in self._field_of], dtype=np.uint64)
        self._scheme = {name: learned.norms.scheme_of(name) for name, _ in packed.fields}
        self._weighed: dict[str, list[FieldModel]] = {}
        for field, list_ in zip(learned.knowledge.model.fields, self._lists, strict=True):
            if field.weighs_frequency:
                self._weighed.setdefault(list_, []).append(field)
        self._column = {name: int(kind is Kind.FAMILY_NAME) for name, kind in packed.fields}
        self._text = Growing(packed.values.text[: packed.values.start[-1]])
        self._start = Growing(packed.values.start - packed.values.start[0])
        self._form = Growing(packed.values.form)
        self._group = Growing(packed.values.group)
        self._hash = Growing(packed.hashes)
        self._rarity = Growing(rarity)
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

    def warm_up(self) -> None:
        """Load the kernels that new values of any kind take."""
        mark = self.mark()
        scheme = self._scheme
        self._extend([Field(name, kind, [_UNHEARD], _NOWHERE, scheme[name]) for name, kind in self.fields])
        self.forget(mark)
        self._known.put(np.empty(0, np.uint64), np.empty(0, np.int32))

    def codes_of(self, records: Sequence[Standard], keep: bool) -> Codes:
        """The codes (records × columns) of standardised records; unknown values are added, and entered if
        `keep`."""
        texts = [text for record in records for name, _ in self.fields for text in record[name]]
        hashes, codes = lookup.find_values(
            *texts_of(texts), self._salts, self._known.keys, self._known.numbers
        )
        unknown = np.flatnonzero(codes == lookup.UNKNOWN)
        if len(unknown):
            codes[unknown] = self._added(unknown.tolist(), texts, hashes[unknown].tolist(), keep)
        codes = codes.reshape(len(records), -1)
        close_up(codes, self.layout.table[:, FIRST], self.layout.table[:, COUNT])
        return codes

    def _added(
        self, unknown: Sequence[int], texts: Sequence[str], hashes: Sequence[int], keep: bool
    ) -> Sequence[int]:
        """Numbers for values that are not known yet, one to each, wherever it stands."""
        first = dict(zip(reversed(hashes), reversed(unknown), strict=True))
        field_of, width = self._field_of, len(self._field_of)
        by_field = sorted(first, key=lambda hash_: (field_of[first[hash_] % width], first[hash_]))
        numbers = dict(zip(by_field, count(self._hash.size), strict=False))
        fresh = []
        for f, own in groupby(by_field, key=lambda hash_: field_of[first[hash_] % width]):
            name, kind = self.fields[f]
            values = [texts[first[hash_]] for hash_ in own]
            fresh.append(Field(name, kind, values, _NOWHERE, self._scheme[name]))
        self._extend(fresh)
        if keep:
            self._known.put(np.array(by_field, np.uint64), np.array([*numbers.values()], np.int32))
        return [numbers[hash_] for hash_ in hashes]

    def _extend(self, fresh: Sequence[Field]) -> None:
        """Append the values of one field after another."""
        values, ways, _ = form_values(fresh, self.learned.knowledge.words)
        rows, size, groups = len(values.form), self._text.size, self._group.size
        room = Room(
            self._text.room(int(values.start[-1] - values.start[0])), self._start.room(rows),
            self._form.room(rows), self._group.room(len(values.group)), self._hash.room(rows),
        )  # fmt: skip
        pooling.add_values(values, ways, room, size, groups)
        rarity = self._rarity.room(rows)
        rarity[:] = 0
        begin = 0
        for item in fresh:
            end = begin + len(item.values)
            self._weigh(rarity[begin:end], item, room.hash[begin:end])
            begin = end

    def _weigh(self, rarity: npt.NDArray[np.float32], item: Field, hashes: npt.NDArray[np.uint64]) -> None:
        """Rarity of values in every field that may hold them and weighs frequency."""
        knowledge = self.learned.knowledge
        for field in self._weighed.get(list_of(item.name, item.kind), ()):
            held, filled = knowledge.held_by(field.name, hashes), knowledge.filled[field.name]
            bits = rarity_bits(held, filled, field.u[-1], knowledge.model.prior, field.kind)
            rarity[:, self._column[field.name]] = bits

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
