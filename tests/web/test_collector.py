"""The collector takes what Segment's clients send, tells them what is wrong, and loses nothing."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suzani.events import Reason
from suzani.events.limits import Backlog
from suzani.events.reading import LARGEST_BATCH
from suzani.infra.keys import KeyRing, list_keys, revoke_key, secret_of
from suzani.infra.platform import Platform
from suzani.kernel import Busy, Unavailable, now
from suzani.web.collector import CALLS
from tests.events.collecting import Collecting, basic, collecting, new_key


@pytest.fixture
async def collector(platform: Platform) -> AsyncIterator[Collecting]:
    async with collecting(platform) as found:
        yield found


def event(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Card Authorised", "userId": "u1", "messageId": f"m{number}"} | fields


@pytest.mark.parametrize("path", sorted(CALLS))
async def test_every_route_takes_its_call_and_it_is_durable(collector: Collecting, path: str) -> None:
    call = CALLS[path]
    one = {"userId": "u1", "event": "A", "groupId": "g", "previousId": "p", "messageId": "m1"}
    answer = await collector.post(path, one if call else {"batch": [one | {"type": "page"}]})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    [taken] = await collector.events()
    assert (taken.type, taken.source, taken.channel) == (call or "page", "web", "web")


async def test_a_page_needs_no_header_and_no_preflight(collector: Collecting) -> None:
    body = json.dumps({"writeKey": collector.secret, "batch": [event()]})
    headers = {"content-type": "text/plain;charset=UTF-8", "origin": "https://bank.example"}
    answer = await collector.http.post("/v1/batch", content=body, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert len(await collector.events()) == 1


async def test_a_beacon_may_carry_the_key_in_its_address(collector: Collecting) -> None:
    answer = await collector.http.post(
        f"/beacon/v1/batch?writeKey={collector.secret}", json={"batch": [event()]}
    )
    assert answer.status_code == 200


async def test_any_page_may_ask_before_it_sends(collector: Collecting) -> None:
    asked = {"origin": "https://bank.example", "access-control-request-headers": "authorization,anonymousid"}
    answer = await collector.http.options("/v1/track", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == "authorization,anonymousid"
    assert "access-control-allow-credentials" not in answer.headers


async def test_other_routes_stay_closed_to_foreign_pages(collector: Collecting) -> None:
    answer = await collector.http.get("/v1/health", headers={"origin": "https://bank.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize("headers", [{}, basic("sz_write_wrong"), {"authorization": "Basic ???"}])
async def test_without_a_known_key_nothing_is_taken(collector: Collecting, headers: dict[str, str]) -> None:
    answer = await collector.http.post("/v1/batch", json={"batch": [event()]}, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["hint"]
    assert await collector.events() == []


async def test_a_key_for_reading_does_not_send(collector: Collecting) -> None:
    reader = await new_key(collector.platform, "contact_centre", "channel")
    answer = await collector.post("/v1/batch", {"batch": [event()]}, headers=basic(reader))
    assert answer.status_code == 403


async def test_what_is_wrong_in_a_batch_is_kept_and_the_rest_goes_on(collector: Collecting) -> None:
    wrong = [{"type": "track", "userId": "u"}, {"type": "page"}, 7, event(2, context={"x": "x" * 33_000})]
    body = {"batch": [event(1), *wrong], "sentAt": "2026-11-22T09:31:12Z"}
    answer = await collector.post("/v1/batch", body)
    assert answer.json() == {"success": True, "accepted": 1, "quarantined": 4}
    kept = await collector.quarantined()
    assert [one.reason for one in kept] != []
    assert {one.reason for one in kept} == {
        Reason.MISSING_NAME, Reason.MISSING_IDENTITY, Reason.MALFORMED, Reason.TOO_LARGE
    }  # fmt: skip
    assert {one.raw for one in kept} == {json.dumps(one, separators=(",", ":")).encode() for one in wrong}


async def test_sent_again_what_is_wrong_is_counted_not_kept_twice(collector: Collecting) -> None:
    for _ in range(3):
        await collector.post("/v1/batch", {"batch": [{"type": "page"}, {"type": "page"}]})
    [kept] = await collector.quarantined()
    assert kept.times == 6


async def test_a_single_event_that_is_wrong_is_answered_with_what_to_do(collector: Collecting) -> None:
    answer = await collector.post("/v1/track", {"userId": "u"})
    assert answer.status_code == 400
    said = answer.json()
    assert (said["code"], said["message"]) == ("missing_name", "event: missing")
    assert said["hint"]
    assert await collector.quarantined() == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"null", b'{"batch":3}', b'{"batch":{}}', b"{}", b"[" * 9999]
)
async def test_no_batch_is_a_bad_request(collector: Collecting, body: bytes) -> None:
    answer = await collector.post("/v1/batch", content=body)
    assert answer.status_code == 400


async def test_packed_bodies_are_unpacked_up_to_the_limit(collector: Collecting) -> None:
    headers = {"content-encoding": "gzip"}
    good = gzip.compress(json.dumps({"batch": [event()]}).encode())
    assert (await collector.post("/v1/batch", content=good, headers=headers)).status_code == 200
    bomb = gzip.compress(b" " * 50_000_000)
    assert (await collector.post("/v1/batch", content=bomb, headers=headers)).status_code == 413
    for broken in (good[:-9], b"no gzip", good[:20]):
        assert (await collector.post("/v1/batch", content=broken, headers=headers)).status_code == 400
    assert (
        await collector.post("/v1/batch", content=good, headers={"content-encoding": "br"})
    ).status_code == 415


async def test_limits_are_32_kb_an_event_and_500_kb_a_batch(collector: Collecting) -> None:
    large = event(1, properties={"x": "x" * 32 * 1024})
    assert (await collector.post("/v1/track", large)).status_code == 413
    body = {"batch": [event(i, properties={"x": "x" * 30_000}) for i in range(18)]}
    assert (await collector.post("/v1/batch", body)).status_code == 413
    assert (await collector.post("/v1/batch", content=b" " * (LARGEST_BATCH + 1))).status_code == 413
    assert (await collector.post("/v1/batch", {"batch": body["batch"][:17]})).status_code == 200


async def test_a_context_for_all_cannot_blow_a_batch_up(collector: Collecting) -> None:
    body = {"batch": [event(i) for i in range(4000)], "context": {"x": "x" * 30_000}}
    assert (await collector.post("/v1/batch", body)).status_code == 413


async def test_too_many_events_of_one_key_are_sent_away_with_when_to_come(collector: Collecting) -> None:
    slow = await new_key(collector.platform, "slow", rate=10)
    body = {"batch": [event(i) for i in range(60)]}
    assert (await collector.post("/v1/batch", body, headers=basic(slow))).status_code == 200
    answer = await collector.post("/v1/batch", body, headers=basic(slow))
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) in (1, 2)
    assert (await collector.post("/v1/batch", body)).status_code == 200


async def test_without_the_database_senders_are_told_to_come_again(collector: Collecting) -> None:
    assert (await collector.post("/v1/batch", {"batch": [event(1)]})).status_code == 200
    await collector.platform.db.close()
    for body in ({"batch": [event(2)]}, {"batch": [{"type": "page"}]}):
        answer = await collector.post("/v1/batch", body)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0


async def test_while_too_many_events_wait_senders_are_told_to_come_again() -> None:
    clock, waiting = [0.0], [0]

    async def count() -> int:
        if waiting[0] < 0:
            raise Unavailable("away")
        return waiting[0]

    backlog = Backlog(count, 10, lambda: clock[0])
    await backlog.check()
    waiting[0] = 11
    await backlog.check()
    clock[0] = 2.0
    with pytest.raises(Busy):
        await backlog.check()
    waiting[0], clock[0] = -1, 4.0
    with pytest.raises(Busy):
        await backlog.check()
    waiting[0], clock[0] = 10, 6.0
    await backlog.check()


async def test_a_key_taken_back_is_refused_within_ten_seconds(platform: Platform) -> None:
    secret = await new_key(platform)
    clock = [0.0]
    ring = KeyRing(platform.db, lambda: clock[0])
    assert (await ring.find(secret, "source")).name == "web"
    async with platform.db.transaction() as tx:
        [key] = await list_keys(tx)
        await revoke_key(tx, key.key_id, now())
    clock[0] = 10.0
    with pytest.raises(Exception, match="not known"):
        await ring.find(secret, "source")
    await ring.close()


async def test_not_a_number_does_not_cost_the_batch(collector: Collecting) -> None:
    properties = b'{"a":NaN,"b":-Infinity,"c":"\\ud83d","d":"\xff"}'
    body = b'{"batch":[{"type":"page","userId":"u","properties":%s}]}' % properties
    assert (await collector.post("/v1/batch", content=body)).status_code == 200
    [taken] = await collector.events()
    assert taken.properties["a"] is None
    assert taken.properties["b"] is None


async def test_an_event_without_an_id_gets_one_that_a_retry_has_too(collector: Collecting) -> None:
    bare = {"type": "page", "userId": "u", "timestamp": "2026-11-22T09:31:12Z"}
    for sent_at in ("2026-11-22T09:31:13Z", "2026-11-22T09:31:19Z"):
        await collector.post("/v1/batch", {"batch": [bare, bare], "sentAt": sent_at})
    taken = await collector.events()
    assert len(taken) == 4
    assert len({one.message for one in taken}) == 2


async def test_every_route_is_described(collector: Collecting) -> None:
    tree = (await collector.http.get("/v1/openapi.json", headers={"host": "localhost"})).json()
    for path in CALLS:
        assert set(tree["paths"][path]["post"]["responses"]) >= {"200", "400", "401", "413", "429", "503"}
    assert "SentEvent" in tree["components"]["schemas"]
    assert "/v1/search" in tree["paths"]


async def test_only_posts_are_taken(collector: Collecting) -> None:
    assert (await collector.http.get("/v1/batch")).status_code == 405


async def test_what_analytics_js_tells_of_itself_is_answered(collector: Collecting) -> None:
    answer = await collector.http.post("/v1/m", json={"series": []})
    assert answer.status_code == 200


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    st.sampled_from(sorted(CALLS)),
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["batch", "type", "userId", "event", "context", "properties", "sentAt", "x"]),
                inner,
            )
        ),
        max_leaves=12,
    ).map(lambda tree: json.dumps(tree).encode("utf-8", "surrogatepass")),
    st.sampled_from(["", "gzip", "br"]),
)
async def test_any_bytes_are_taken_or_refused_and_nothing_is_lost(
    collector: Collecting, path: str, body: bytes, encoding: str
) -> None:
    before = len(await collector.events())
    known = sum(one.times for one in await collector.quarantined())
    answer = await collector.post(path, content=body, headers={"content-encoding": encoding})
    assert answer.status_code in (200, 400, 413, 415)
    if answer.status_code != 200:
        return
    sent = json.loads(body.decode("utf-8", "replace"), strict=False)
    sent = sent["batch"] if CALLS[path] == "" else [sent]
    added = len(await collector.events()) - before
    kept = sum(one.times for one in await collector.quarantined()) - known
    said = answer.json()
    assert said.get("accepted", len(sent)) == added
    assert said.get("quarantined", 0) == kept
    assert added + kept == len(sent)


def test_base64_of_a_key_is_read() -> None:
    assert secret_of("Basic " + base64.b64encode(b"key:").decode()) == "key"
    assert secret_of("Bearer key") == "key"
    assert secret_of("Digest key") == secret_of("") == secret_of("Basic x") == ""
