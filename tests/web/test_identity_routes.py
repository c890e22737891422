from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from suzani.identity import Limits, Resolver
from suzani.infra.db import Database
from suzani.infra.platform import Platform
from suzani.infra.settings import Settings
from suzani.web import build_api
from suzani.web.identity_routes import LARGEST_BODY, Online
from tests.conftest import copied_database
from tests.identity.online_bank import live, resolved_bank, rows, said

URL = "/v1/identity/resolve"
STRANGER = {"given_name": "Хуршида", "family_name": "Вокзалова", "birth_date": "29.11.1961", "sex": "F"}


@pytest.fixture(scope="module")
def resolved_database(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The address of a database with a resolved bank."""
    url = copied_database(postgres_url, template_database, "suzani_resolve_routes")
    resolved_bank(url, tmp_path_factory.mktemp("routes"), 1_000, seed=6)
    return url


@pytest.fixture
async def bank(resolved_database: str, tmp_path: Path) -> AsyncIterator[Platform]:
    db = await Database.connect(resolved_database, pool_size=4)
    yield Platform(Settings(tmp_path, database_url=resolved_database), db)
    await db.close()


@pytest.fixture
async def api(bank: Platform) -> AsyncIterator[httpx.AsyncClient]:
    online = Online(bank)
    await online.open()
    transport = httpx.ASGITransport(build_api(bank, online))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        yield client
    await online.close()


async def test_a_known_person_is_recognised_with_reasons(api: httpx.AsyncClient, bank: Platform) -> None:
    known = (await live(bank))[0]
    response = await api.post(URL, json={"attributes": said(known), "limit": 2})
    assert response.status_code == 200
    answer = response.json()
    assert (answer["person_id"], answer["is_new"], answer["stored"]) == (known["person_id"], False, False)
    best = answer["candidates"][0]
    assert best["person_id"] == known["person_id"]
    assert best["probability"] > 0.9
    level, bits = best["evidence"]["birth_date"]
    assert level == "exact"
    assert bits > 0


async def test_a_stored_record_is_there_with_its_person(api: httpx.AsyncClient, bank: Platform) -> None:
    body = {
        "system": "cards",
        "key": "http-1",
        "store": True,
        "attributes": {**STRANGER, "birth_date": "1961-11-29"},
    }
    answer = (await api.post(URL, json=body)).json()
    assert answer["stored"]
    [stored] = await rows(
        bank,
        "select r.*, m.person_id from sources.record r join identity.membership m using (record_id) "
        "where key = 'http-1'",
    )
    assert (stored["record_id"], stored["person_id"]) == (answer["record_id"], answer["person_id"])
    assert stored["sex"] == "female"
    again = (await api.post(URL, json=body)).json()
    assert (again["record_id"], again["is_new"]) == (answer["record_id"], False)


async def test_many_at_once_are_answered_in_order_and_one_wrong_spoils_no_other(
    api: httpx.AsyncClient,
) -> None:
    one = {"system": "cards", "store": True, "attributes": {"full_name": "Вокзалова Хуршида"}}
    records: list[dict[str, Any]] = [
        {**one, "key": "many-1"},
        {**one, "key": "many-2", "attributes": {"birth_date": "1961-02-30"}},
        {"attributes": {"full_name": "Вокзалова Хуршида"}},
        {**one, "key": "many-1"},
    ]
    response = await api.post(URL, json={"records": records})
    assert response.status_code == 200
    first, second, third, fourth = response.json()["results"]
    assert first["record_id"] == fourth["record_id"]
    assert second["status"] == 422
    assert second["detail"].startswith("records[1].attributes.birth_date: '1961-02-30' is no date")
    assert third["record_id"] is None


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "no JSON"),
        (b"", 400, "no JSON"),
        (b'{"attributes": {"full_name": "\xff"}}', 400, "no JSON"),
        (b"[" * 100_000, 422, "Expected `object`"),
        (b"[]", 422, "Expected `object`"),
        ({}, 422, "attributes: missing"),
        ({"attributes": {"full_name": 7}}, 422, "Expected `str | null`"),
        ({"attributes": {"name": "x"}}, 422, "attributes.name: there is no such attribute"),
        ({"attributes": {"birth_date": "1990-02-31"}}, 422, "is no date"),
        ({"attributes": {"address": "x" * 1001}}, 422, "1,001 characters are too many"),
        ({"attributes": {"address": "a\0"}}, 422, "NUL character"),
        ({"attributes": {}, "limit": 101}, 422, "limit: 101"),
        ({"attributes": {}, "colour": 1}, 422, "unknown field `colour`"),
        ({"attributes": {}, "store": True, "key": "1"}, 422, "system: a record that is to be stored"),
        ({"attributes": {}, "store": True, "system": "cards"}, 422, "key: a record that is to be stored"),
        ({"attributes": {}, "store": True, "system": "card", "key": "1"}, 404, "unknown system 'card'"),
        ({"records": [], "attributes": {}}, 422, "stands beside"),
        ({"records": [{"attributes": {}}] * 501}, 422, "501 are too many at once"),
    ],
)
async def test_bad_bodies_are_problems_that_say_what_to_do(
    api: httpx.AsyncClient, body: bytes | dict[str, Any], status: int, said: str
) -> None:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = await api.post(URL, content=sent)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert said in response.json()["detail"]


async def test_a_body_too_large_is_refused(api: httpx.AsyncClient) -> None:
    assert (await api.post(URL, content=b" " * (LARGEST_BODY + 1))).status_code == 413


async def test_no_records_are_no_results(api: httpx.AsyncClient) -> None:
    assert (await api.post(URL, json={"records": []})).json() == {"results": []}


async def test_before_the_first_run_it_says_what_to_do(platform: Platform) -> None:
    transport = httpx.ASGITransport(build_api(platform))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        response = await client.post(URL, json={"attributes": {"full_name": "x"}})
    assert response.status_code == 409
    assert "suzani resolve" in response.json()["hint"]


async def test_a_foreign_page_may_not_ask(api: httpx.AsyncClient) -> None:
    response = await api.post(URL, json={"attributes": {}}, headers={"origin": "https://evil.example"})
    assert response.status_code == 403


async def test_while_a_run_is_under_way_the_answer_says_when_to_come_again(bank: Platform) -> None:
    online = Online(bank)
    online._opening = asyncio.create_task(Resolver.opened(bank, Limits(wait_seconds=0.1)))
    transport = httpx.ASGITransport(build_api(bank, online))
    body = {"system": "cards", "key": "http-9", "store": True, "attributes": {"full_name": "x"}}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        await online.resolver()
        async with bank.db.transaction() as tx:
            await tx.execute("select pg_advisory_xact_lock(hashtext('suzani identity run'))")
            response = await client.post(URL, json=body)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    await online.close()


async def test_the_route_is_described(api: httpx.AsyncClient) -> None:
    described = (await api.get("/v1/openapi.json")).json()["paths"][URL]["post"]
    one, several = described["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert "birth_date" in one["properties"]["attributes"]["properties"]
    assert several["properties"]["records"]["maxItems"] == 500
    assert {"200", "400", "409", "413", "422", "503"} <= described["responses"].keys()
