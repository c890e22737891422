"""Where a partition and the truth part: the persons wrongly merged or split, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from math import log2

import numpy as np
import pyarrow as pa

from suzani.identity.files.evaluation import Labelled, keys_of
from suzani.identity.files.linking import Input
from suzani.identity.learning.engine import Judged, check_fit
from suzani.identity.learning.evidence import evidence_json
from suzani.identity.models.comparisons import Rows
from suzani.identity.models.model import Model
from suzani.identity.pairs.matching import Pairs, score
from suzani.identity.pairs.packing import pack
from suzani.identity.pairs.partition import Options, conflicts
from suzani.identity.pairs.scoring import weight_bits, weights_of
from suzani.identity.reasons.explaining import (
    Bond,
    Knowledge,
    Record,
    RecordName,
    Why,
    explain_pair,
    scored_of,
)
from suzani.identity.standardising.fields import Field, standardise
from suzani.kernel import InvalidInput

LOOKED_AT = 100
"""Records of a group whose pairs with others are looked at for the strongest."""


class Wrong(StrEnum):
    """What is wrong with a person."""

    MERGED = "wrongly merged"
    SPLIT = "wrongly split"


@dataclass(frozen=True, slots=True)
class Miss:
    """A found person that holds several true ones (merged), or a true person in several found ones (split).

    `groups`: for each of these its label and its records as places in the labelled files, largest first.
    `pairs` of records are wrongly together, or wrongly apart.
    """

    kind: Wrong
    person: str
    groups: tuple[tuple[str, tuple[int, ...]], ...]
    pairs: int


def find_misses(found: Sequence[str], true: Sequence[str]) -> list[Miss]:
    """Every person wrongly merged or split, those with the most wrong pairs of records first.

    `found` and `true`: the person of each record. Pure.
    """
    misses = [*_mixed(Wrong.MERGED, found, true), *_mixed(Wrong.SPLIT, true, found)]
    return sorted(misses, key=lambda miss: -miss.pairs)


def _mixed(kind: Wrong, outer: Sequence[str], inner: Sequence[str]) -> Iterator[Miss]:
    persons: dict[str, dict[str, list[int]]] = {}
    for place, (person, label) in enumerate(zip(outer, inner, strict=True)):
        persons.setdefault(person, {}).setdefault(label, []).append(place)
    for person, parts in persons.items():
        if len(parts) > 1:
            groups = sorted(parts.items(), key=lambda part: (-len(part[1]), part[1]))
            pairs = sum(len(a) * len(b) for (_, a), (_, b) in combinations(groups, 2))
            yield Miss(kind, person, tuple((label, tuple(rows)) for label, rows in groups), pairs)


@dataclass(frozen=True)
class Run:
    """The records of a run as it compared them.

    `row_of` finds a record by its key; `edges` are the pairs of keys whose comparison was kept, None if that
    is not known.
    """

    data: Input
    model: Model
    fields: Sequence[Field]
    judged: Judged
    edges: frozenset[tuple[str, str]] | None

    @classmethod
    def of(cls, data: Input, model: Model, edges: frozenset[tuple[str, str]] | None = None) -> Run:
        """Standardise and pack the records; raises InvalidInput when the model does not fit them."""
        kinds = {name: data.guesses[name].kind for name in data.table.column_names}
        fields, _ = standardise(data.table, kinds)
        check_fit(model, fields)
        packed = pack(fields, data.rows)
        return cls(data, model, fields, Judged(packed, weights_of(model, packed)), edges)

    def links(self, groups: Sequence[Rows]) -> Pairs:
        """The strongest pairs between groups of rows that tie all of them together, strongest first."""
        cut = [np.asarray(rows[:LOOKED_AT]) for rows in groups]
        rows = np.concatenate(cut)
        group = np.repeat(np.arange(len(cut)), [len(part) for part in cut])
        a, b = np.triu_indices(len(rows), 1)
        across = group[a] != group[b]
        a, b = a[across], b[across]
        # Pairs are scored in the order of what their records say, as in a run.
        contents = self.judged.records.contents
        turned = contents[rows[a]] > contents[rows[b]]
        a, b = np.where(turned, b, a), np.where(turned, a, b)
        pairs = score(self.judged.records, self.judged.weights, rows[a], rows[b])
        kept = _spanning(group[a], group[b], np.argsort(-pairs.odds_bits, kind="stable"))
        return pairs.where(kept)

    def whys(self, pairs: Pairs, person: Mapping[int, str]) -> list[Why]:
        """The waterfall of each pair; `person` is the found person of each row."""
        numbers = {name: number for number, name in enumerate(dict.fromkeys(person.values()), 1)}
        prior = log2(self.model.prior / (1 - self.model.prior))
        kinds = {field.name: field.kind for field in self.model.fields}
        known = Knowledge(round(prior, 2), kinds, Options().cut_bits)
        weights = np.round(weight_bits(pairs.odds_bits, self.model), 2).tolist()
        evidence = evidence_json(self.judged, pairs).to_pylist()
        clash = conflicts(self.judged.records, pairs).tolist()
        sides = [
            [self._record(row, numbers[person[row]]) for row in rows.tolist()]
            for rows in (pairs.left, pairs.right)
        ]
        return [
            explain_pair(a, b, scored_of(weight, json.loads(said)), known, Bond(clash=clashing))
            for a, b, weight, said, clashing in zip(*sides, weights, evidence, clash, strict=True)
        ]

    def _record(self, row: int, person: int) -> Record:
        """A record with its standard values, as they were compared, by field."""
        source, key = self.data.source[row].as_py(), self.data.record_id[row].as_py()
        held = {
            field.name.partition(" (")[0]: " / ".join(field.said(field.codes[row][field.codes[row] >= 0]))
            for field in self.fields
        }
        return Record(RecordName(row, source, key), person, held)

    def was_compared(self, why: Why, key_of: Sequence[str]) -> bool:
        """False where the pair is strong enough to be kept, but blocking did not bring it up."""
        if self.edges is None or why.odds_bits is None or why.odds_bits <= Options().loose_bits:
            return True
        a, b = (key_of[row] for row in why.pair)
        return (a, b) in self.edges or (b, a) in self.edges


def _spanning(first: Rows, second: Rows, order: Rows) -> Rows:
    """The pairs of groups that tie all groups together, taken in this order (Kruskal 1956)."""
    root = {group: group for group in {*first.tolist(), *second.tolist()}}
    kept = []
    for pair in order.tolist():
        a, b = root[int(first[pair])], root[int(second[pair])]
        if a != b:
            kept.append(pair)
            root = {group: a if top == b else top for group, top in root.items()}
        if len(kept) + 1 == len(root):
            break
    return np.array(kept, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Reason:
    """The strongest pair that ties two groups together, and whether blocking brought it up."""

    why: Why
    compared: bool


@dataclass(frozen=True, slots=True)
class MissedRecord:
    """A record of a miss: its key, its found and its true person, its values as its source wrote them."""

    key: str
    found: str
    true: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ExplainedMiss:
    """A miss with its records, group by group, and what ties the groups together, strongest first."""

    kind: Wrong
    person: str
    pairs: int
    groups: Mapping[str, Sequence[MissedRecord]]
    reasons: Sequence[Reason]


def edges_known(edges: pa.Table, by_source: bool) -> frozenset[tuple[str, str]]:
    """The pairs of keys in an edges table (source_a, record_id_a, source_b, record_id_b)."""
    a, b = (keys_of(edges, [f"source_{side}", f"record_id_{side}"][not by_source :]) for side in "ab")
    return frozenset(zip(a, b, strict=True))


def explain_misses(
    misses: Sequence[Miss], labels: Labelled, data: Input | None = None, run: Run | None = None
) -> list[ExplainedMiss]:
    """Misses with the values of their records, where there are `data`, and reasons, where there is a `run`.

    Raises InvalidInput when the data lack a record.
    """
    key_of = _keys(data, labels.by_source) if data else []
    row_of = {key: row for row, key in enumerate(key_of)}
    explained = []
    for miss in misses:
        places = [place for _, part in miss.groups for place in part]
        lacking = [labels.keys[place] for place in places if data and labels.keys[place] not in row_of]
        if lacking:
            raise InvalidInput(
                f"no file of records has the record {lacking[0]!r}",
                hint="Give the files that were linked, and the same id column.",
            )
        groups = {
            label: [_missed(labels, place, data, row_of) for place in part] for label, part in miss.groups
        }
        reasons = _reasons(miss, labels, run, row_of, key_of) if run else []
        explained.append(ExplainedMiss(miss.kind, miss.person, miss.pairs, groups, reasons))
    return explained


def _keys(data: Input, by_source: bool) -> list[str]:
    names = pa.table({"source": data.source, "record_id": data.record_id})
    return keys_of(names, ["source", "record_id"][not by_source :])


def _missed(labels: Labelled, place: int, data: Input | None, row_of: Mapping[str, int]) -> MissedRecord:
    key = labels.keys[place]
    row = data.table.slice(row_of[key], 1).to_pylist()[0] if data and data.table.num_columns else {}
    values = {name: text for name, value in row.items() if (text := str(value or "").strip())}
    return MissedRecord(key, labels.found[place], labels.true[place], values)


def _reasons(
    miss: Miss, labels: Labelled, run: Run, row_of: Mapping[str, int], key_of: Sequence[str]
) -> list[Reason]:
    groups = [np.array([row_of[labels.keys[place]] for place in part]) for _, part in miss.groups]
    person = {row_of[labels.keys[place]]: labels.found[place] for _, part in miss.groups for place in part}
    whys = run.whys(run.links(groups), person)
    return [Reason(why, run.was_compared(why, key_of)) for why in whys]
