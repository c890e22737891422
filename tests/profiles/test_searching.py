from __future__ import annotations

from suzani.infra.db import Query, Tx, execute
from suzani.profiles import is_searchable, search
from tests.profiles.bank import JOHNSON, KARIMOV, KIM, KIM_TWIN, PETROVA

FOUND_BY: dict[str, list[int]] = {
    "Каримов": [KARIMOV],
    "karimov aziz": [KARIMOV],
    "Aziz Karimov": [KARIMOV],
    "кар": [KARIMOV],
    "Karimow": [KARIMOV],
    "Karimof Asis": [KARIMOV],
    "rustam": [KARIMOV],
    "Иванова": [PETROVA],
    "Ivanova Natalya": [PETROVA],
    "김민수": [KIM],
    "김": [KIM, KIM_TWIN],
    "kim minsu": [KIM],
    "Emily": [JOHNSON],
    "+998 90 123 45 67": [KARIMOV],
    "901234567": [KARIMOV],
    "90 1234": [KARIMOV],
    "4567": [KARIMOV],
    "010-1234-5678": [KIM],
    "aziz.kar": [KARIMOV],
    "aziz.karimov@": [KARIMOV],
    "AA2468013": [KARIMOV],
    "aa 2468013": [KARIMOV],
    "AB765": [KARIMOV],
    "31403850": [KARIMOV],
    "8600 1234": [KARIMOV],
    "8600123412341234": [KARIMOV],
    "INV-5": [KIM],
    "L-2023/77": [KARIMOV],
    "Каримов 1985": [KARIMOV],
    "Каримов 1986": [],
    "14.03.1985": [KARIMOV],
    "нет": [],
    "zzzzzz": [],
    "'; drop table profiles.profile; --": [],
}


async def test_persons_are_found_by_whatever_is_known_of_them(tx: Tx) -> None:
    found = {text: sorted(hit.person_id for hit in await search(tx, text)) for text in FOUND_BY}
    assert found == FOUND_BY


async def test_a_hit_says_what_matched_even_when_the_value_lost(tx: Tx) -> None:
    hit = (await search(tx, "AB7654321"))[0]
    assert [(match.attribute, match.value) for match in hit.matches] == [("document", "AB7654321")]
    hit = (await search(tx, "8600"))[0]
    assert [(match.attribute, match.value) for match in hit.matches] == [("product", "8600123412341234")]


async def test_what_only_sounds_alike_says_so_and_comes_last(tx: Tx) -> None:
    hits = await search(tx, "Karimof")
    assert [match.sounds_alike for match in hits[0].matches] == [True] * len(hits[0].matches)
    assert not any(match.sounds_alike for match in (await search(tx, "Karimov"))[0].matches)


async def test_the_name_typed_comes_before_names_that_only_begin_with_it(tx: Tx) -> None:
    many = (
        "update profiles.profile set display_name = 'Kimsan Ali', record_count = 99 where person_id = %(id)s"
    )
    await execute(tx, Query(many), id=KIM)
    assert [hit.person_id for hit in await search(tx, "kim")] == [KIM_TWIN, KIM]


async def test_the_limit_holds(tx: Tx) -> None:
    assert len(await search(tx, "kim", limit=1)) == 1
    assert len(await search(tx, "kim", limit=-5)) == 1


def test_short_texts_are_not_searched() -> None:
    assert not is_searchable("а")
    assert not is_searchable("123")
    assert is_searchable("김")
