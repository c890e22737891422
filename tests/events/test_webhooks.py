"""Webhooks become events by their source's mapping, and count only if they are genuine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from suzani.events import Reason
from suzani.infra.platform import Platform
from tests.events.collecting import Collecting, basic, collecting, new_key

MAPPING = """
event: {column: kind, values: {ticket.created: Ticket Opened}}
userId: data.client.id
timestamp: data.at
properties: {ticket_id: data.id, subject: data.subject}
rest: false
"""
SIGNED = MAPPING + "signature: {header: X-Signature, secret_variable: CRM_SECRET, prefix: sha256=}\n"
TICKET = {
    "kind": "ticket.created",
    "data": {"id": 7, "subject": "card", "client": {"id": 42}, "at": 1795339872},
}


@pytest.fixture
async def collector(platform: Platform) -> AsyncIterator[Collecting]:
    async with collecting(platform) as found:
        yield found


def write(collector: Collecting, text: str, source: str = "crm") -> Path:
    path = collector.platform.data_dir / "intake" / f"{source}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


async def test_a_webhook_becomes_an_event_once_however_often_it_is_delivered(collector: Collecting) -> None:
    write(collector, MAPPING)
    key = basic(await new_key(collector.platform, "crm"))
    for _ in range(2):
        answer = await collector.post("/v1/webhooks/crm", TICKET, headers=key)
        assert answer.status_code == 200
    first, again = await collector.events()
    assert (first.source, first.name, first.user_id) == ("crm", "Ticket Opened", "42")
    assert first.properties == {"ticket_id": 7, "subject": "card"}
    assert first.at == 1_795_339_872_000_000
    assert first.message == again.message


async def test_items_that_are_no_events_are_kept_and_the_rest_goes_on(collector: Collecting) -> None:
    write(collector, MAPPING)
    key = basic(await new_key(collector.platform, "crm"))
    answer = await collector.post("/v1/webhooks/crm", [TICKET, 5, {"kind": "x"}], headers=key)
    assert answer.json() == {"success": True, "accepted": 1, "quarantined": 2}
    assert {one.reason for one in await collector.quarantined()} == {
        Reason.MALFORMED,
        Reason.MISSING_IDENTITY,
    }


async def test_a_signature_counts_in_place_of_a_key(
    collector: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(collector, SIGNED)
    body = json.dumps(TICKET).encode()
    right = "sha256=" + hmac.new(b"secret", body, hashlib.sha256).hexdigest()

    async def send(signature: str) -> int:
        headers = {"x-signature": signature}
        return (await collector.http.post("/v1/webhooks/crm", content=body, headers=headers)).status_code

    assert await send(right) == 503
    monkeypatch.setenv("CRM_SECRET", "secret")
    assert await send(right) == 200
    assert await send(right[:-1] + "x") == 401
    assert await send("") == 401
    write(collector, SIGNED.replace("prefix: sha256=", "encoding: base64"))
    assert await send(base64.b64encode(bytes.fromhex(right[7:])).decode()) == 200


@pytest.mark.parametrize("source", ["other", "..%2F", "a%2Fb", "A", "x" * 70])
async def test_a_source_without_a_mapping_has_no_webhook(collector: Collecting, source: str) -> None:
    write(collector, MAPPING)
    assert (await collector.post(f"/v1/webhooks/{source}", TICKET)).status_code in (404, 405)


async def test_another_sources_key_does_not_count(collector: Collecting) -> None:
    write(collector, MAPPING)
    assert (await collector.post("/v1/webhooks/crm", TICKET)).status_code == 403
    assert (await collector.http.post("/v1/webhooks/crm", json=TICKET)).status_code == 401


@pytest.mark.parametrize("body", [b"", b"{", b"5", b"null", b"[", b"\xff"])
async def test_any_bytes_are_answered(collector: Collecting, body: Any) -> None:
    write(collector, MAPPING)
    key = basic(await new_key(collector.platform, "crm"))
    answer = await collector.post("/v1/webhooks/crm", content=body, headers=key)
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        assert answer.json()["quarantined"] == 1
