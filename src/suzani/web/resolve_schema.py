"""What `POST /v1/identity/resolve` takes and gives, as OpenAPI describes it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from suzani.identity import MOST_AT_ONCE
from suzani.kernel import SuzaniError
from suzani.sources import LONGEST_KEY, LONGEST_VALUE
from suzani.sources.mapping import RECORD_FIELDS

DESCRIPTION: Final = (
    "Whom a record belongs to: the persons nearest to it, best first, with the weight of each field in bits. "
    "With `store` the record is kept under its system and key, in place of what it said before, and gets its "
    f"person; the answer comes when that is durable. Up to {MOST_AT_ONCE} records can be sent as `records`; "
    "one that is wrong does not spoil the others."
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with one of several records (RFC 9457), with what to do in `hint`."""

    type: str
    title: str
    status: int
    detail: str
    hint: str = ""

    @classmethod
    def of(cls, error: SuzaniError) -> Problem:
        """An error of the domain."""
        status = HTTPStatus(error.status_code)
        return cls("about:blank", status.phrase, status.value, error.message, error.hint)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person that the record could belong to.

    `probability` and `odds_bits`: over all records of the person; `best_record`, `weight_bits` and `evidence`
    ({field: [level of agreement, bits]}): the record of it that is nearest.
    """

    person_id: int
    probability: float
    weight_bits: float
    odds_bits: float
    best_record: int
    evidence: dict[str, tuple[str, float]]


@dataclass(frozen=True, slots=True)
class ResolveAnswer:
    """Whom a record belongs to. `person_id` is null for somebody new who was not stored; `candidates` are
    persons as they were before the record came."""

    person_id: int | None
    is_new: bool
    record_id: int | None
    stored: bool
    candidates: list[Candidate]


@dataclass(frozen=True, slots=True)
class Answers:
    """One answer or problem for each of several records, in their order."""

    results: list[ResolveAnswer | Problem]


_TEXT: Final[dict[str, Any]] = {"type": ["string", "null"], "maxLength": LONGEST_VALUE}
_ATTRIBUTES: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What is known, as typed; dates as 1985-03-14 or as the system writes them.",
    "properties": dict.fromkeys(RECORD_FIELDS, _TEXT),
    "additionalProperties": False,
}
_RECORD: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["attributes"],
    "additionalProperties": False,
    "properties": {
        "attributes": _ATTRIBUTES,
        "system": {"type": "string", "description": "The product system the record is of; needed to store."},
        "key": {"type": "string", "maxLength": LONGEST_KEY, "description": "Its key there; needed to store."},
        "store": {
            "type": "boolean",
            "default": False,
            "description": "Keep the record and give it a person.",
        },
        "limit": {"type": "integer", "minimum": 0, "maximum": 100, "default": 5},
    },
}
_SEVERAL: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["records"],
    "additionalProperties": False,
    "properties": {"records": {"type": "array", "maxItems": MOST_AT_ONCE, "items": _RECORD}},
}
_EXAMPLE: Final[dict[str, Any]] = {
    "system": "core_banking",
    "key": "100234",
    "store": True,
    "attributes": {"family_name": "Каримов", "given_name": "Али", "birth_date": "1985-03-14"},
}
REQUEST_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"oneOf": [_RECORD, _SEVERAL]}, "example": _EXAMPLE}},
    }
}
"""For FastAPI's `openapi_extra`."""
