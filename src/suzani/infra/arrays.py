"""Long lists as PostgreSQL array literals, for `%(name)s::bigint[]` and the like.

The driver writes each element of a list by itself, which for thousands takes longer than the query.
"""

from __future__ import annotations

from collections.abc import Iterable


def integers(values: Iterable[int | None]) -> str:
    """The literal of a `bigint[]`; None becomes null."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def uuids(values: Iterable[bytes]) -> str:
    """The literal of a `uuid[]`, of 16 bytes each."""
    return "{" + ",".join([value.hex() for value in values]) + "}"
