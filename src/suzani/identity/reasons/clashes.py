"""Pairs of records with two different valid national ids, which cannot be one person. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from rapidfuzz.distance import OSA

from suzani.identity.reasons.assembly import Pair
from suzani.identity.reasons.explaining import Record
from suzani.identity.values.documents import IDENTIFIERS
from suzani.kernel import ATTRIBUTES, Kind

_SLIPS = 2
"""Two valid ids a slip or two apart are more often one id mistyped."""

_ATTRIBUTES = tuple(name for name, attribute in ATTRIBUTES.items() if attribute.kind is Kind.NATIONAL_ID)


def clashes_between(
    own: Sequence[int], others: Sequence[int], records: Mapping[int, Record]
) -> frozenset[Pair]:
    """Pairs across the two groups with two different valid national ids."""
    holders = [[one for one in group if _has_id(records[one])] for group in (own, others)]
    return frozenset((min(a, b), max(a, b)) for a, b in product(*holders) if _clash(records[a], records[b]))


def _has_id(record: Record) -> bool:
    return any(record.values.get(name) for name in _ATTRIBUTES)


def _clash(a: Record, b: Record) -> bool:
    return any(_different_ids(a.values.get(name), b.values.get(name)) for name in _ATTRIBUTES)


def _different_ids(a: str | None, b: str | None) -> bool:
    """Whether both pass the check digit of one scheme and differ by more than slips."""
    ours, theirs = (("".join(filter(str.isalnum, text)) if text else "") for text in (a, b))
    if not ours or not theirs or OSA.distance(ours, theirs) <= _SLIPS:
        return False
    return any(scheme.is_valid(ours) and scheme.is_valid(theirs) for scheme in IDENTIFIERS.values())
