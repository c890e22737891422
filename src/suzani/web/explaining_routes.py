"""The routes that explain: why two records are one person, how a person came to be, why it is nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query

from suzani import identity
from suzani.identity import How, Why, WhyNot
from suzani.infra.platform import Platform
from suzani.web.explanations import how_sentences, why_not_sentences, why_sentences
from suzani.web.language import Texts
from suzani.web.limits import LARGEST_ID

LONGEST_NAME = 200

PersonId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
RecordName = Annotated[
    str, Query(min_length=1, max_length=LONGEST_NAME, description="A record's id, or system/key")
]
Language = Annotated[Literal["en", "ru", "uz", "ko"], Query(description="The language of `text`")]


@dataclass(frozen=True, slots=True)
class WhyAnswer:
    """Why two records are one person or not: as data, and in sentences."""

    explanation: Why
    text: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HowAnswer:
    """How a person came to be: as data, and in sentences."""

    explanation: How
    text: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhyNotAnswer:
    """The persons nearest to one and what keeps them apart: as data, and in sentences."""

    explanation: WhyNot
    text: tuple[str, ...]


def add_explanations(
    router: APIRouter, platform: Platform, problems: dict[int | str, dict[str, Any]]
) -> None:
    """Put the routes on the router."""

    @router.get("/identity/why", tags=["identity"], responses=problems)
    async def why(a: RecordName, b: RecordName, language: Language = "en") -> WhyAnswer:
        """Why two records are one person or not: the weight field by field in bits, with the values compared,
        their level of agreement and the running sum from the prior to the odds."""
        async with platform.db.transaction() as tx:
            found = await identity.why(tx, a, b)
        return WhyAnswer(found, why_sentences(Texts.of(language), found))

    @router.get("/persons/{person_id}/how", tags=["identity"], responses=problems)
    async def how(person_id: PersonId, language: Language = "en") -> HowAnswer:
        """How a person came to be: the joins in order, strongest first, and what was prevented.

        An id that was merged away answers for the person it went to.
        """
        async with platform.db.transaction() as tx:
            found = await identity.how(tx, person_id)
        return HowAnswer(found, how_sentences(Texts.of(language), found))

    @router.get("/persons/{person_id}/why-not", tags=["identity"], responses=problems)
    async def why_not(person_id: PersonId, language: Language = "en") -> WhyNotAnswer:
        """The persons nearest to one, and what keeps them apart: evidence, two valid ids, or a steward.

        An id that was merged away answers for the person it went to.
        """
        async with platform.db.transaction() as tx:
            found = await identity.why_not(tx, person_id)
        return WhyNotAnswer(found, why_not_sentences(Texts.of(language), found))
