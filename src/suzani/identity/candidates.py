"""Which pairs of records are worth comparing: blocking keys, oversized blocks refined, losses estimated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import combinations

import numpy as np
import numpy.typing as npt

from suzani.identity.dictionary import Codes, recode
from suzani.identity.fields import Field
from suzani.identity.names import folded_names, phonetic_keys
from suzani.kernel import Kind

Keys = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]

ALL_PAIRS_BELOW = 50
"""Up to this many records every pair is compared."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
_WINDOW = 8
_FEW_FOUND = 20


@dataclass(frozen=True, slots=True)
class _Key:
    """Codes (rows × alternatives) under which records may meet; -1 is no key."""

    name: str
    codes: Codes


@dataclass(frozen=True)
class Candidates:
    """Pairs of rows, each once, `left` < `right`.

    `found_by` counts the blocking rules that found a pair. `windowed` counts the pairs that refined blocks
    still too large did not enumerate.
    """

    left: Rows
    right: Rows
    found_by: npt.NDArray[np.int64]
    rules: dict[str, int]
    windowed: int

    def estimated_recall(self, probability: npt.NDArray[np.float32]) -> float | None:
        """Share of all true pairs that the rules found, by how often they found the same ones.

        Bias-corrected form of Chao 1987.

        `probability` per candidate. None when every pair was compared or too few were found.
        """
        if not self.rules:
            return None
        once = float(probability[self.found_by == 1].sum())
        twice = float(probability[self.found_by == 2].sum())
        found = float(probability.sum())
        if found < _FEW_FOUND:
            return None
        return found / (found + once * max(once - 1, 0.0) / (2 * (twice + 1)))


class Width(Enum):
    """How many pairs the blocking rules may give."""

    NARROW = "narrow"
    WIDE = "wide"

    def budget(self, rows: int) -> int:
        """Pairs that the rules may give in sum; small inputs can afford more per record."""
        if self is Width.NARROW:
            return max(8 * rows, 200_000)
        return int(max(16 * rows, 3_000_000 * min(1.0, 50_000 / rows)))


def find_candidates(fields: Sequence[Field], rows: int, width: Width = Width.WIDE) -> Candidates:
    """All pairs for few records, else those that share a blocking key.

    Rules are taken from the most to the least selective until the budget of pairs is spent.
    """
    if rows <= ALL_PAIRS_BELOW:
        left, right = np.triu_indices(rows, 1)
        return Candidates(left.astype(np.int64), right.astype(np.int64), np.ones(len(left), np.int64), {}, 0)
    cap = 60 if rows > 50_000 else 150
    keys = _keys(fields)
    refine = [_mixed(key.codes[:, :1])[:, 0] for key in keys if key.name in _REFINING]
    blocks = sorted(
        (_Blocks.of(rule, keys_of, cap, refine) for rule, keys_of in _rules(keys)),
        key=lambda block: block.pairs,
    )
    return _collect(blocks, rows, width.budget(rows))


def _collect(blocks: Sequence[_Blocks], rows: int, budget: int) -> Candidates:
    packed: list[npt.NDArray[np.int64]] = []
    used: dict[str, int] = {}
    windowed = 0
    for block in blocks:
        if block.pairs == 0 or (block.pairs > budget and len(used) >= 3):
            continue
        budget -= block.pairs
        pairs = np.unique(block.enumerate(rows))
        used[block.name] = len(pairs)
        windowed += block.windowed
        packed.append(pairs)
    everything = np.concatenate(packed) if packed else np.empty(0, np.int64)
    pairs, found_by = np.unique(everything, return_counts=True)
    left, right = np.divmod(pairs, rows)
    return Candidates(left, right, found_by.astype(np.int64), used, windowed)


_REFINING = ("name", "given", "year", "month and day", "city", "postcode", "sex")


def _keys(fields: Sequence[Field]) -> list[_Key]:
    """The blocking keys that the fields give."""
    keys: list[_Key] = []
    by_name = {field.name: field for field in fields}
    given, family = by_name.get("given_name"), by_name.get("family_name")
    for name, field in (("given", given), ("family", family)):
        if field is not None:
            keys.append(_Key(name, recode(_sounds(field.values), field.codes).codes))
    if given is not None and family is not None:
        both = np.concatenate([given.codes[:, :1], family.codes], axis=1)
        keys.append(_Key("name", recode(_sounds(given.values), both).codes))
    for field in fields:
        keys += _KEYS_OF.get(field.kind, _no_keys)(field)
    return keys


def _sounds(values: Sequence[str]) -> list[str]:
    """Phonetic keys; names too short to have a telling one keep their letters."""
    pairs = zip(phonetic_keys(values), folded_names(values), strict=True)
    return [sound if len(sound) > 2 else folded for sound, folded in pairs]


def _no_keys(field: Field) -> list[_Key]:
    return []


def _date_keys(field: Field) -> list[_Key]:
    return [
        _Key("date", field.codes),
        _Key("year", recode([value[:4] for value in field.values], field.codes).codes),
        _Key("month and day", recode([value[4:] for value in field.values], field.codes).codes),
    ]


def _email_keys(field: Field) -> list[_Key]:
    mailboxes = [value.partition("@")[0] for value in field.values]
    return [_Key("email", field.codes), _Key("mailbox", recode(mailboxes, field.codes).codes)]


def _text_keys(field: Field) -> list[_Key]:
    return [_Key(f"text:{field.name}", field.codes), _Key(f"text:{field.name} words", _word_pairs(field))]


def _address_keys(field: Field) -> list[_Key]:
    return [_Key("address", field.codes), _Key("address words", _word_pairs(field))]


def _word_pairs(field: Field) -> Codes:
    """The rarest words of each text two by two, so that one slip or a missing word does no harm."""
    counts: dict[str, int] = {}
    for value in field.values:
        for word in value.split():
            counts[word] = counts.get(word, 0) + 1
    rare = [sorted(value.split(), key=lambda word: (counts[word], word))[:3] for value in field.values]
    pairs = [_pairs_of(words) for words in rare]
    forms = [word for words in pairs for word in words]
    first = field.codes[:, 0]
    codes = [np.where(first >= 0, 3 * first + i, -1) for i in range(3)]
    return recode(forms, np.stack(codes, axis=1).astype(np.int32)).codes


def _pairs_of(words: Sequence[str]) -> list[str]:
    joined = ["+".join(sorted(pair)) for pair in combinations(words, 2)]
    return [*joined, "", "", ""][:3]


def _place_key(field: Field) -> list[_Key]:
    return [_Key("city", recode(_sounds(field.values), field.codes).codes)]


_KEYS_OF: Mapping[Kind, Callable[[Field], list[_Key]]] = {
    Kind.BIRTH_DATE: _date_keys,
    Kind.EMAIL: _email_keys,
    Kind.ADDRESS: _address_keys,
    Kind.ORGANISATION: _text_keys,
    Kind.TEXT: _text_keys,
    Kind.CITY: _place_key,
    Kind.PHONE: lambda field: [_Key("phone", field.codes)],
    Kind.NATIONAL_ID: lambda field: [_Key(f"id:{field.name}", field.codes)],
    Kind.DOCUMENT: lambda field: [_Key(f"id:{field.name}", field.codes)],
    Kind.POSTCODE: lambda field: [_Key("postcode", field.codes)],
    Kind.OCCUPATION: lambda field: [_Key("occupation", field.codes)],
    Kind.SEX: lambda field: [_Key("sex", field.codes)],
}

_COMBINED = (
    ("date", "name"), ("given", "family"), ("given", "family", "year"), ("given", "family", "month and day"),
    ("given", "family", "city"), ("given", "family", "postcode"), ("date", "postcode"), ("date", "city"),
    ("date", "address words"), ("date", "sex"), ("date",), ("name", "postcode"), ("name", "city", "year"),
    ("name", "year", "month and day"), ("family", "address words"), ("given", "address words"),
    ("name", "month and day"), ("name", "city"), ("name", "year"), ("postcode", "year"), ("family",),
    ("name", "occupation", "city"), ("address words", "year"), ("address words",), ("date", "occupation"),
    ("postcode", "sex"), ("city", "occupation", "year"),
    ("given",), ("city", "year"), ("city", "month and day"), ("year", "month and day"), ("postcode",),
)  # fmt: skip


def _rules(keys: Sequence[_Key]) -> Iterator[tuple[str, list[Codes]]]:
    """Every blocking rule the keys allow: identifiers alone, names, dates and places in combinations."""
    by_name: dict[str, list[_Key]] = {}
    for key in keys:
        by_name.setdefault(key.name, []).append(key)
        if key.name.startswith(("id:", "text:")) or key.name in ("email", "mailbox", "phone", "address"):
            yield key.name, [key.codes]
    for names in _COMBINED:
        if all(name in by_name for name in names):
            yield " + ".join(names), [by_name[name][0].codes for name in names]


def _mixed(codes: Codes) -> Keys:
    """Codes as well-spread 64-bit keys (-1 included)."""
    keys = (codes.astype(np.int64) + 2).astype(np.uint64) * _MIX
    return np.asarray(keys ^ (keys >> np.uint64(29)))


@dataclass(frozen=True)
class _Blocks:
    """The blocks of one rule, sorted: `members` row numbers, block i spanning starts[i] to starts[i+1]."""

    name: str
    groups: list[tuple[Rows, npt.NDArray[np.int64]]]
    windows: list[tuple[Rows, npt.NDArray[np.int64]]]
    pairs: int
    windowed: int

    @classmethod
    def of(cls, name: str, parts: Sequence[Codes], cap: int, refine: Sequence[Keys]) -> _Blocks:
        keys, members = _flatten(parts)
        groups = []
        pairs = 0
        for depth in range(len(refine) + 1):
            order = np.argsort(keys, kind="stable")
            keys, members = keys[order], members[order]
            starts = (
                np.flatnonzero(np.append(True, keys[1:] != keys[:-1])) if len(keys) else np.empty(0, np.int64)
            )
            sizes = np.diff(np.append(starts, len(keys)))
            small = sizes <= cap
            inside = np.repeat(small & (sizes > 1), sizes)
            groups.append((members[inside], sizes[small & (sizes > 1)]))
            pairs += int((groups[-1][1] * (groups[-1][1] - 1) // 2).sum())
            large = np.repeat(~small, sizes)
            keys, members = keys[large], members[large]
            if not len(keys) or depth == len(refine):
                break
            keys = keys * _MIX + refine[depth][members]
        sizes = np.unique(keys, return_counts=True)[1] if len(keys) else np.empty(0, np.int64)
        near = np.minimum(_WINDOW, sizes - 1)
        reach = int((near * sizes - near * (near + 1) // 2).sum())
        lost = int((sizes * (sizes - 1) // 2).sum()) - reach
        return cls(name, groups, [(members, sizes)] if len(keys) else [], pairs + reach, lost)

    def enumerate(self, rows: int) -> npt.NDArray[np.int64]:
        """Packed pairs `left * rows + right`, left < right; may repeat a pair."""
        found = [_within(members, sizes, None) for members, sizes in self.groups]
        found += [_within(members, sizes, _WINDOW) for members, sizes in self.windows]
        first = np.concatenate([a for a, _ in found])
        second = np.concatenate([b for _, b in found])
        low, high = np.minimum(first, second), np.maximum(first, second)
        return np.asarray((low * rows + high)[low != high])


def _flatten(parts: Sequence[Codes]) -> tuple[Keys, Rows]:
    """One key per row and combination of alternatives; rows that lack a part are left out."""
    keys: list[Keys] = []
    members: list[Rows] = []

    def add(key: Keys, present: npt.NDArray[np.bool_], rest: Sequence[Codes]) -> None:
        if not rest:
            keys.append(key[present])
            members.append(np.flatnonzero(present))
            return
        for alternative in rest[0].T:
            add(key * _MIX + _mixed(alternative), present & (alternative >= 0), rest[1:])

    rows = parts[0].shape[0]
    add(np.zeros(rows, np.uint64), np.ones(rows, bool), parts)
    return np.concatenate(keys), np.concatenate(members)


def _within(members: Rows, sizes: npt.NDArray[np.int64], window: int | None) -> tuple[Rows, Rows]:
    """All pairs inside consecutive blocks of the given sizes, or only near neighbours within a window."""
    total = len(members)
    ends = np.repeat(np.cumsum(sizes), sizes)
    position = np.arange(total)
    partners = ends - position - 1
    if window is not None:
        partners = np.minimum(partners, window)
    first = np.repeat(position, partners)
    offset = np.arange(len(first)) - np.repeat(np.cumsum(partners) - partners, partners)
    return members[first], members[first + offset + 1]
