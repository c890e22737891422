from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from suzani.identity.persons.decisions import PATIENCE_SECONDS
from suzani.infra.platform import Platform
from tests.profiles.bank import KARIMOV, KIM, KIM_TWIN, PETROVA, RETIRED

WHO = {"actor": "ann", "reason": "seen the papers"}
TWINS_K = ["investment/K106", "cards/K108"]


async def decided(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    """What a decision did."""
    answer = await client.post(path, json={**WHO, **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def holders(client: httpx.AsyncClient, person: int) -> list[int]:
    """The records of a person."""
    found = (await client.get(f"/v1/persons/{person}/whereabouts")).json()
    return [record for record, _, _ in found["records"]]


async def test_joined_persons_are_one_and_the_old_id_leads_on(client: httpx.AsyncClient) -> None:
    done = await decided(client, "/v1/persons/join", persons=[KIM, KIM_TWIN])
    assert (done["persons"], done["retired"], done["moves"]) == ([KIM], [KIM_TWIN], 1)
    assert await holders(client, KIM) == [106, 107, 108]
    gone = (await client.get(f"/v1/persons/{KIM_TWIN}/whereabouts")).json()
    assert (gone["current"], gone["merged_into"], gone["records"]) == (KIM, KIM, [])
    assert gone["went_to"] == {str(KIM): 1}
    assert (await client.get(f"/v1/persons/{KIM}/whereabouts")).json()["taken_over"] == [KIM_TWIN]


async def test_records_are_joined_by_their_names(client: httpx.AsyncClient) -> None:
    await decided(client, "/v1/persons/join", records=TWINS_K)
    assert await holders(client, KIM) == [106, 107, 108]


async def test_separated_records_leave_and_the_history_says_by_whom(client: httpx.AsyncClient) -> None:
    done = await decided(client, f"/v1/persons/{KARIMOV}/separate", records=["cards/K102"])
    [new] = [person for person in done["persons"] if person != KARIMOV]
    assert (await holders(client, KARIMOV), await holders(client, new)) == ([101, 103], [102])
    event = (await client.get(f"/v1/persons/{KARIMOV}/history")).json()[-1]
    assert {name: event["change"][name] for name in ("cause", "actor", "reason")} == {
        "cause": "steward",
        **WHO,
    }
    assert [(moved["key"], moved["to_person"]) for moved in event["left"]] == [("K102", new)]
    [event] = (await client.get(f"/v1/persons/{new}/history")).json()
    assert [moved["from_person"] for moved in event["came"]] == [KARIMOV]


async def test_an_undo_restores_and_can_be_undone_itself(client: httpx.AsyncClient) -> None:
    joined = await decided(client, "/v1/persons/join", persons=[KIM, KIM_TWIN])
    undone = await decided(client, f"/v1/identity/changes/{joined['change_id']}/undo")
    assert (undone["revived"], undone["revoked"]) == ([KIM_TWIN], joined["constraints"])
    assert await holders(client, KIM_TWIN) == [108]
    await decided(client, f"/v1/identity/changes/{undone['change_id']}/undo")
    assert await holders(client, KIM) == [106, 107, 108]
    again = await client.post(f"/v1/identity/changes/{undone['change_id']}/undo", json=WHO)
    assert again.status_code == 409
    assert "was undone by change" in again.json()["detail"]


async def test_a_contradiction_names_the_constraints_it_breaks(client: httpx.AsyncClient) -> None:
    apart = await decided(client, f"/v1/persons/{KARIMOV}/separate", records=["cards/K102"])
    answer = await client.post("/v1/persons/join", json={**WHO, "persons": apart["persons"]})
    assert answer.status_code == 409
    problem = answer.json()
    assert "contradicts what was decided" in problem["detail"]
    assert "cards/K102" in problem["detail"]
    assert set(problem["constraints"]) <= set(apart["constraints"])
    assert problem["constraints"]
    for number in apart["constraints"]:
        await decided(client, f"/v1/identity/constraints/{number}/revoke")
    assert (await client.get("/v1/identity/constraints")).json() == []
    await decided(client, "/v1/persons/join", persons=apart["persons"])


async def test_constraints_are_listed_by_record_and_with_those_taken_back(client: httpx.AsyncClient) -> None:
    joined = await decided(client, "/v1/persons/join", records=TWINS_K)
    of_other = {"record": "core_banking/K104"}
    [told] = (await client.get("/v1/identity/constraints", params={"record": "cards/K108"})).json()
    assert (told["kind"], told["actor"], told["constraint_id"]) == ("must", "ann", joined["constraints"][0])
    assert (await client.get("/v1/identity/constraints", params=of_other)).json() == []
    await decided(client, f"/v1/identity/constraints/{told['constraint_id']}/revoke")
    [told] = (await client.get("/v1/identity/constraints", params={"active": False})).json()
    assert told["revoked_by"] == "ann"


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/v1/persons/join", {"persons": [KIM]}, 422, "at least two"),
        ("/v1/persons/join", {}, 422, "at least two"),
        ("/v1/persons/join", {"persons": [KIM, 999]}, 404, "no person has the id 999"),
        ("/v1/persons/join", {"persons": [KIM, 0]}, 422, "persons"),
        ("/v1/persons/join", {"persons": [KIM, 2**63]}, 422, "persons"),
        ("/v1/persons/join", {"persons": [PETROVA, RETIRED]}, 409, f"person {KARIMOV} has taken over"),
        ("/v1/persons/join", {"records": ["cards/K102", "cards/none"]}, 404, "cards/none"),
        ("/v1/persons/join", {"records": ["cards/K102", "nonsense"]}, 422, "is no record"),
        ("/v1/persons/join", {"records": ["cards/K102", "cards/\0"]}, 422, "records"),
        ("/v1/persons/join", {"records": ["cards/K102", "cards/\ud800"]}, 422, "records"),
        ("/v1/persons/join", {"persons": [KIM, KIM_TWIN], "actor": " "}, 422, "needs an actor"),
        ("/v1/persons/join", {"persons": [KIM, KIM_TWIN], "reason": ""}, 422, "reason"),
        ("/v1/persons/join", {"persons": [KIM, KIM_TWIN], "reason": "\0"}, 422, "reason"),
        ("/v1/persons/join", {"persons": [KIM, KIM_TWIN], "force": True}, 422, "force"),
        (f"/v1/persons/{KIM}/separate", {"records": []}, 422, "records"),
        (f"/v1/persons/{KIM}/separate", {"records": ["core_banking/K101"]}, 422, f"not of person {KIM}"),
        (f"/v1/persons/{KIM_TWIN}/separate", {"records": ["cards/K108"]}, 422, "some, but not all"),
        ("/v1/persons/999/separate", {"records": ["cards/K108"]}, 404, "no person has the id 999"),
        ("/v1/persons/x/separate", {"records": ["cards/K108"]}, 422, "person_id"),
        ("/v1/identity/changes/999/undo", {}, 404, "there is no change 999"),
        ("/v1/identity/changes/0/undo", {}, 422, "change_id"),
        ("/v1/identity/constraints/999/revoke", {}, 404, "there is no constraint 999"),
    ],
)
async def test_what_cannot_be_decided_is_a_problem(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], status: int, said: str
) -> None:
    # In ASCII: a client's own encoder would refuse half of a surrogate pair.
    sent = json.dumps({**WHO, **body})
    answer = await client.post(path, content=sent, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert "constraints" not in answer.json()


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/v1/persons/999/whereabouts", 404, "no person has the id 999"),
        ("/v1/persons/999/history", 404, "no person has the id 999"),
        (f"/v1/persons/{2**63}/history", 422, "person_id"),
        ("/v1/identity/constraints?record=nonsense", 422, "is no record"),
        ("/v1/identity/constraints?record=cards/none", 404, "cards/none"),
        ("/v1/identity/constraints?active=maybe", 422, "active"),
    ],
)
async def test_what_cannot_be_told_is_a_problem(
    client: httpx.AsyncClient, path: str, status: int, said: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert said in answer.json()["detail"]


async def test_a_body_that_is_no_json_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/persons/join", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 422


async def test_a_decision_does_not_wait_for_a_run_to_end(
    client: httpx.AsyncClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PATIENCE_SECONDS > 0
    monkeypatch.setattr("suzani.identity.persons.decisions.PATIENCE_SECONDS", 0.05)
    async with platform.db.transaction() as tx:
        await tx.execute("select pg_advisory_xact_lock(hashtext('suzani identity run'))")
        answer = await client.post("/v1/persons/join", json={**WHO, "persons": [KIM, KIM_TWIN]})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    await decided(client, "/v1/persons/join", persons=[KIM, KIM_TWIN])


async def test_foreign_pages_decide_nothing(client: httpx.AsyncClient) -> None:
    body = {**WHO, "persons": [KIM, KIM_TWIN]}
    foreign = {"origin": "https://evil.example"}
    assert (await client.post("/v1/persons/join", json=body, headers=foreign)).status_code == 403
    assert await holders(client, KIM_TWIN) == [108]
