from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from suzani.infra import keys
from suzani.infra.platform import Platform
from suzani.kernel import now
from suzani.web import build_api
from suzani.web.readers import Readers
from tests.activity.stage import DAY, START, Stage, opened, track, with_a_bank
from tests.profiles import bank


@pytest.fixture
async def stage(platform: Platform) -> AsyncIterator[Stage]:
    async with opened(platform) as found:
        found.now = now()
        await found.happen(
            track("", "u1", "a1", type="identify", traits={"email": "ann@mail.uz", "phone": "+998901234567"}),
            *(track("App Opened", "u1") for _ in range(3)),
            track("Note Taken", "u1", properties={"text": "first"}, context={"channel": "branch"}),
        )
        yield found


async def key_of(platform: Platform, role: str, **settings: Any) -> str:
    async with platform.db.transaction() as tx:
        _, secret = await keys.create_key(tx, role, "test", now(), settings)
        return secret


@pytest.fixture
async def seeing(stage: Stage) -> dict[str, str]:
    """The key of a channel that may see personal values; made before the first request, as new keys are known
    a moment later."""
    return {"Authorization": f"Bearer {await key_of(stage.platform, 'channel', personal=True)}"}


@pytest.fixture
async def sending(stage: Stage) -> dict[str, str]:
    """The key of a sender."""
    return {"Authorization": f"Bearer {await key_of(stage.platform, 'source')}"}


@pytest.fixture
async def client(
    stage: Stage, seeing: dict[str, str], sending: dict[str, str]
) -> AsyncIterator[httpx.AsyncClient]:
    """The API, for a channel with a key."""
    readers = Readers(stage.platform)
    headers = {"Authorization": f"Bearer {await key_of(stage.platform, 'channel')}"}
    transport = httpx.ASGITransport(build_api(stage.platform, readers=readers))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost:8000", headers=headers
    ) as found:
        yield found
    await readers.close()


async def test_a_profile_is_found_by_any_identifier(client: httpx.AsyncClient) -> None:
    found = [
        (await client.get(f"/v1/profiles/{name}")).json()
        for name in ("user_id:u1", "anonymous_id:a1", "email:Ann@mail.uz")
    ]
    assert found[0]["events"] == 5
    assert found[0]["traits"]["app_sessions_7d"] == 3
    assert "active_app_users" in found[0]["segments"]
    assert found[0] == found[1] == found[2]
    assert (await client.get(f"/v1/profiles/subject:{found[0]['subject_id']}")).json() == found[0]


async def test_only_what_is_asked_for_is_answered(client: httpx.AsyncClient) -> None:
    found = (await client.get("/v1/profiles/user_id:u1?fields=traits.app_sessions_7d,segments")).json()
    assert found["traits"] == {"app_sessions_7d": 3}
    assert set(found) == {
        "subject_id", "person_id", "traits", "events", "first_event_at", "last_event_at", "segments"
    }  # fmt: skip


async def test_what_is_asked_at_the_same_moment_is_answered_each_with_its_own(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    await stage.happen(*(track("App Opened", f"u{number}") for number in range(2, 30)))
    names = [f"user_id:u{number}" for number in range(1, 33)]
    names += ["anonymous_id:a1?fields=traits", "user_id:u2?fields=segments", "subject:1"]
    names += ["no_such:1", "person:7", "user_id:a%00b"]
    paths = [f"/v1/profiles/{name}" for name in names]
    alone = [await client.get(path) for path in paths]
    together = await asyncio.gather(*(client.get(path) for path in paths))
    assert [(one.status_code, one.content) for one in together] == [
        (one.status_code, one.content) for one in alone
    ]
    assert [one.status_code for one in alone] == [200] * 29 + [404] * 3 + [200] * 3 + [404, 404, 422]


async def test_personal_values_are_masked_unless_the_key_may_see_them(
    client: httpx.AsyncClient, seeing: dict[str, str]
) -> None:
    def email(found: dict[str, Any]) -> str:
        return next(one["value"] for one in found["identifiers"] if one["kind"] == "email")

    assert email((await client.get("/v1/profiles/user_id:u1")).json()) == "a•••@mail.uz"
    answer = await client.get("/v1/profiles/user_id:u1", headers=seeing)
    assert email(answer.json()) == "ann@mail.uz"


async def test_a_reader_who_has_the_same_already_is_not_sent_it_again(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    first = await client.get("/v1/profiles/user_id:u1")
    again = await client.get("/v1/profiles/user_id:u1", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await stage.happen(track("App Opened", "u1"))
    changed = await client.get("/v1/profiles/user_id:u1", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.json()["events"] == 6


async def test_a_person_is_read_with_what_product_systems_know(
    client: httpx.AsyncClient, stage: Stage, seeing: dict[str, str]
) -> None:
    await with_a_bank(stage)
    found = (await client.get(f"/v1/profiles/person:{bank.KARIMOV}", headers=seeing)).json()
    assert found["person_id"] == bank.KARIMOV
    assert found["profile"]["birth_date"] == "1985-03-14"
    assert found["consent"]["marketing"] == "denied"
    assert found["consent"]["marketing_at"].endswith("Z")
    assert len(found["products"]) == 4
    masked = (await client.get(f"/v1/profiles/person:{bank.KARIMOV}")).json()
    assert masked["profile"]["national_id"] == "•••0017"
    assert all(one["number"].startswith("•••") for one in masked["products"])
    by_subject = await client.get(f"/v1/profiles/subject:{found['subject_id']}", headers=seeing)
    assert by_subject.json() == found


async def test_whoever_was_merged_away_is_read_as_whom_they_went_to(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    await stage.happen(track("App Opened", anonymous="a2"))
    visitor = (await stage.subject("anonymous_id:a2")).subject_id
    await stage.happen(track("", "u1", "a2", type="identify"))
    user = (await client.get("/v1/profiles/user_id:u1")).json()
    assert user["subject_id"] != visitor
    assert (await client.get(f"/v1/profiles/subject:{visitor}")).json() == user
    await with_a_bank(stage)
    person = (await client.get(f"/v1/profiles/person:{bank.KARIMOV}")).json()
    assert (await client.get(f"/v1/profiles/person:{bank.RETIRED}")).json() == person


async def test_a_state_that_cannot_be_read_leaves_everything_else(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    async with stage.platform.db.transaction() as tx:
        await tx.execute("update activity.subject_state set state = 'spoilt'")
    found = (await client.get("/v1/profiles/user_id:u1?fields=traits,segments")).json()
    assert found["events"] == 5
    assert found["traits"]["app_sessions_7d"] == 0
    assert "active_app_users" in found["segments"]


async def test_a_profile_is_read_and_not_written(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/profiles/user_id:u1")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


async def test_profiles_are_for_this_machine_alone(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/profiles/user_id:u1", headers={"Host": "bank.uz"})).status_code == 403
    assert (await client.get("/v1/profiles/user_id:u1")).headers["x-frame-options"] == "DENY"


async def test_a_profile_is_described(client: httpx.AsyncClient) -> None:
    described = (await client.get("/v1/openapi.json")).json()["paths"]["/v1/profiles/{name}"]["get"]
    assert [one["name"] for one in described["parameters"]] == ["name", "fields"]
    assert set(described["responses"]) >= {"200", "401", "403", "404", "422", "503"}


async def test_events_come_in_pages_that_follow_each_other(client: httpx.AsyncClient) -> None:
    first = (await client.get("/v1/profiles/user_id:u1/events?limit=3")).json()
    second = (await client.get("/v1/profiles/user_id:u1/events", params={"before": first["next"]})).json()
    assert len(first["events"]) == 3
    assert len(second["events"]) == 2
    assert second["next"] is None
    assert not {one["message"] for one in first["events"]} & {one["message"] for one in second["events"]}


async def test_events_are_filtered(client: httpx.AsyncClient) -> None:
    async def names(**params: Any) -> list[str]:
        found = (await client.get("/v1/profiles/user_id:u1/events", params=params)).json()
        return [one["name"] for one in found["events"]]

    assert await names(channel="branch") == ["Note Taken"]
    assert await names(event=["Note Taken", "App Opened"], text="FIRST") == ["Note Taken"]
    assert await names(type="identify") == [""]
    assert await names(until=(START - 1000 * DAY).isoformat()) == []


async def test_segments_and_links_have_pages_of_their_own(client: httpx.AsyncClient) -> None:
    segments = (await client.get("/v1/profiles/user_id:u1/segments")).json()["segments"]
    assert [one["segment"] for one in segments] == ["active_app_users"]
    links = (await client.get("/v1/profiles/user_id:u1/links")).json()["links"]
    assert {link["weak"]["kind"] for link in links} >= {"anonymous_id"}


PATHS = ["", "/events", "/segments", "/links"]


@pytest.mark.parametrize("path", PATHS)
async def test_nobody_reads_without_a_key(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/v1/profiles/user_id:u1{path}", headers={"Authorization": ""})
    assert answer.status_code == 401
    assert "suzani key create" in answer.json()["hint"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_key_that_sends_may_not_read(
    client: httpx.AsyncClient, sending: dict[str, str], path: str
) -> None:
    answer = await client.get(f"/v1/profiles/user_id:u1{path}", headers=sending)
    assert answer.status_code == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "name",
    ["user_id:nobody", "u1", "person:x", "person:999", "subject:1e3", "no_such:1", "person:" + "9" * 30],
)
async def test_whoever_is_not_known_is_not_found(client: httpx.AsyncClient, name: str, path: str) -> None:
    answer = await client.get(f"/v1/profiles/{name}{path}")
    assert answer.status_code == 404
    assert answer.json()["hint"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?fields=trait.x", 404),
        ("?fields=" + "traits.a," * 300, 422),
        ("?fields=traits." + "a" * 10_000, 422),
        ("/events?limit=0", 422),
        ("/events?before=yesterday", 422),
        ("/events?before=2026-01-01_00", 422),
        ("/events?since=2026-01-01T00:00:00", 422),
    ],
)
async def test_bad_input_is_refused_with_what_to_do(
    client: httpx.AsyncClient, query: str, status: int
) -> None:
    answer = await client.get(f"/v1/profiles/user_id:u1{query}")
    assert answer.status_code == status
    assert answer.json()["detail"]
