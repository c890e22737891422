"""Whose a phone number or an e-mail address is, when it is one person's alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from suzani.infra.db import Tx
from suzani.profiles import store
from suzani.profiles.terms import TERMS, email_terms, phone_terms

_ATTRIBUTES: Final[Mapping[str, tuple[Callable[[Sequence[str]], list[tuple[str, ...]]], tuple[str, ...]]]] = {
    "email": (email_terms, ("email",)),
    "phone": (phone_terms, ("phone", "phone_2")),
}


class Holder(NamedTuple):
    """The only person with a value, and the oldest of their records that has it."""

    person_id: int
    record_id: int


async def sole_holders(tx: Tx, kind: str, values: Sequence[str]) -> dict[str, Holder]:
    """Who alone has each phone or e-mail (`kind`), as profiles stand; values that nobody or several have are
    left out. Values are E.164 digits without the plus, or bare addresses."""
    to_terms, attributes = _ATTRIBUTES[kind]
    term_of = {terms[0]: value for value, terms in zip(values, to_terms(values), strict=True) if terms}
    rows = await store.holders(tx, list(term_of)) if term_of else []
    found: dict[str, set[Holder]] = {}
    for name in attributes:
        having = [row for row in rows if row[name] is not None]
        for row, terms in zip(having, TERMS[name]([row[name] for row in having]), strict=True):
            if row["term"] in terms:
                found.setdefault(term_of[row["term"]], set()).add(Holder(row["person_id"], row["record_id"]))
    return {
        value: min(holders)
        for value, holders in found.items()
        if len({one.person_id for one in holders}) == 1
    }
