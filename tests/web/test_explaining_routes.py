from __future__ import annotations

import httpx
import pytest

from tests.profiles import bank


async def test_why_is_told_as_data_and_in_words(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/v1/identity/why", params={"a": "101", "b": "lending/K103"})).json()
    why = answer["explanation"]
    assert (why["record_a"]["record_id"], why["record_b"]["record_id"]) == (101, 103)
    assert [step["field"] for step in why["steps"]] == ["family_name", "phone", "birth_date", "household"]
    assert why["odds_bits"] == pytest.approx(why["prior_bits"] + sum(step["bits"] for step in why["steps"]))
    assert why["steps"][0]["value_a"] == "Каримов"
    assert why["verdict"] == "one person by their own evidence"
    assert "Both have the date of birth 14 Mar 1985: +8.2 bits." in answer["text"]


async def test_the_words_come_in_the_language_asked_for(client: httpx.AsyncClient) -> None:
    asked = {"a": "101", "b": "103", "language": "ru"}
    said = (await client.get("/v1/identity/why", params=asked)).json()["text"]
    assert "В обеих записях дата рождения 14.03.1985: +8,2 бита." in said
    asked["language"] = "ko"
    said = (await client.get("/v1/identity/why", params=asked)).json()["text"]
    assert said[-1].startswith("같은 사람입니다.")


async def test_a_pair_that_was_not_compared_says_so(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/v1/identity/why", params={"a": "101", "b": "109"})).json()
    assert answer["explanation"]["weight_bits"] is None
    assert answer["explanation"]["verdict"] == "two persons, never compared closely"
    assert answer["text"][1] == "They write no value alike."


async def test_how_tells_the_joins_in_order(client: httpx.AsyncClient) -> None:
    answer = (await client.get(f"/v1/persons/{bank.KARIMOV}/how")).json()
    steps = answer["explanation"]["steps"]
    assert [(step["left"], step["right"]) for step in steps] == [([101], [103]), ([101, 103], [102])]
    assert (
        answer["text"][1]
        == "1. Core banking 101 and Lending 103 were joined: Core banking 101 ↔ Lending 103 +11.4 bits."
    )


async def test_a_merged_id_answers_for_the_person_it_went_to(client: httpx.AsyncClient) -> None:
    for route in ("how", "why-not"):
        answer = (await client.get(f"/v1/persons/{bank.RETIRED}/{route}")).json()
        assert answer["explanation"]["person_id"] == bank.KARIMOV


async def test_why_not_tells_the_nearest_and_what_speaks_against(client: httpx.AsyncClient) -> None:
    answer = (await client.get(f"/v1/persons/{bank.KIM_TWIN}/why-not")).json()
    [near] = answer["explanation"]["nearest"]
    assert (near["person_id"], near["because"]) == (bank.KIM, "evidence below the cut")
    assert [step["field"] for step in near["against"]] == ["given_name", "household"]
    nobody = (await client.get(f"/v1/persons/{bank.JOHNSON}/why-not")).json()
    assert nobody["explanation"]["nearest"] == []
    assert nobody["text"][0].startswith("Nobody else came near")


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/v1/identity/why", 422, "a"),
        ("/v1/identity/why?a=101", 422, "b"),
        ("/v1/identity/why?a=101&b=101", 422, "the same record"),
        ("/v1/identity/why?a=101&b=core_banking/K101", 422, "the same record"),
        ("/v1/identity/why?a=101&b=nonsense", 422, "names no record"),
        ("/v1/identity/why?a=101&b=/", 422, "names no record"),
        ("/v1/identity/why?a=101&b=102&language=fr", 422, "language"),
        (f"/v1/identity/why?a=101&b={'x' * 300}", 422, "b"),
        ("/v1/identity/why?a=101&b=999", 404, "no record has the id 999"),
        (f"/v1/identity/why?a=101&b={'9' * 40}", 404, "no record has the id"),
        ("/v1/identity/why?a=101&b=cards/none", 404, "cards has no record with the key none"),
        ("/v1/identity/why?a=101&b=cards/%00", 422, "names no record"),
        ("/v1/persons/999/how", 404, "no person has the id 999"),
        ("/v1/persons/0/how", 422, "person_id"),
        ("/v1/persons/abc/why-not", 422, "person_id"),
        (f"/v1/persons/{2**63}/why-not", 422, "person_id"),
        ("/v1/persons/1/why-not?language=xx", 422, "language"),
    ],
)
async def test_bad_questions_are_problems(
    client: httpx.AsyncClient,
    path: str,
    status: int,
    said: str,
) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert answer.json()["hint"]


@pytest.mark.parametrize(
    "path", ["/v1/identity/why?a=101&b=103", "/v1/persons/1/how", "/v1/persons/1/why-not"]
)
async def test_foreign_hosts_get_no_explanations(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers={"host": "evil.example"})).status_code == 403
