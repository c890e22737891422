from __future__ import annotations

import httpx
import pytest

from suzani.web.collector import CALLS
from tests.profiles import bank


async def test_the_api_answers_audit_search_persons_and_health(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/health")).json()["status"] == "ok"
    audit = (await client.get("/v1/audit")).json()
    assert (audit["records"], audit["persons"]) == (10, 6)
    found = (await client.get("/v1/search", params={"q": "Азиз Karimov", "limit": 5})).json()
    assert [hit["person_id"] for hit in found["hits"]] == [bank.KARIMOV]
    person = (await client.get(f"/v1/persons/{bank.KARIMOV}")).json()
    golden = {entry["attribute"]: entry for entry in person["profile"]["golden"]}
    assert golden["phone"]["rule"] == "most_recent"
    assert golden["phone"]["lost"][0]["origin"]["system"] == "core_banking"
    assert person["profile"]["balances"][1] == {"currency": "UZS", "held": "1550000.50", "owed": "0.00"}
    assert {"records", "products", "edges", "history"} <= set(person)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/v1/persons/999", 404, "no person has the id 999"),
        ("/v1/persons/abc", 422, "person_id"),
        ("/v1/persons/0", 422, "person_id"),
        (f"/v1/persons/{2**63}", 422, "person_id"),
        ("/v1/search", 422, "q"),
        ("/v1/search?q=a&limit=1000", 422, "limit"),
        (f"/v1/search?q={'a' * 300}", 422, "q"),
        ("/v1/nothing", 404, "there is no /v1/nothing"),
    ],
)
async def test_errors_are_problems(client: httpx.AsyncClient, path: str, status: int, said: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert answer.json()["hint"]


async def test_odd_texts_are_searched_without_harm(client: httpx.AsyncClient) -> None:
    for text in ("'", "a:* & b", "\\", "\x00", "🙂🙂", "' | '"):
        assert (await client.get("/v1/search", params={"q": text})).json()["hits"] == []


async def test_every_route_is_described(client: httpx.AsyncClient) -> None:
    described = (await client.get("/v1/openapi.json")).json()
    assert set(described["paths"]) - set(CALLS) == {
        "/v1/audit",
        "/v1/events/quarantine",
        "/v1/health",
        "/v1/identity/changes/{change_id}/undo",
        "/v1/identity/constraints",
        "/v1/identity/constraints/{constraint_id}/revoke",
        "/v1/identity/resolve",
        "/v1/identity/why",
        "/v1/persons/join",
        "/v1/persons/{person_id}",
        "/v1/persons/{person_id}/history",
        "/v1/persons/{person_id}/how",
        "/v1/persons/{person_id}/separate",
        "/v1/persons/{person_id}/whereabouts",
        "/v1/persons/{person_id}/why-not",
        "/v1/profiles/{name}",
        "/v1/profiles/{name}/events",
        "/v1/profiles/{name}/links",
        "/v1/profiles/{name}/segments",
        "/v1/search",
        "/v1/webhooks/{source}",
    }
    routes = [route for path in described["paths"].values() for route in path.values()]
    assert all(route["description"] for route in routes)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "10.0.0.1", "", "[", "::1"]
)
async def test_foreign_hosts_are_refused(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/v1/health", headers={"host": host})).status_code == 403


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000"])
async def test_this_machines_names_are_answered(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/v1/health", headers={"host": host})).status_code == 200


async def test_pages_of_other_sites_are_refused(client: httpx.AsyncClient) -> None:
    for origin in ("http://evil.example", "null", "http://localhost:9999"):
        assert (await client.get("/v1/audit", headers={"origin": origin})).status_code == 403
    assert (await client.get("/v1/audit", headers={"origin": "http://localhost:8000"})).status_code == 200


async def test_answers_are_locked_down(client: httpx.AsyncClient) -> None:
    headers = (await client.get("/v1/health")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert (await client.get("/v1/nothing", headers={"host": "evil.example"})).headers[
        "x-frame-options"
    ] == "DENY"
