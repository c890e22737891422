"""Subjects follow persons, on a tiny bank whose persons are moved by hand."""

from __future__ import annotations

from typing import Any

import pytest

from suzani.infra.db import Query, execute
from suzani.infra.platform import Platform
from suzani.profiles import load_survivorship, rebuild_all
from suzani.stitching import Rules, load_identifiers, take_affected
from suzani.stitching.following import Followed, follow
from suzani.stitching.jobs import block_identifiers
from suzani.stitching.types import Affected
from tests.profiles import bank
from tests.stitching.stream import event, rows, seen, take

KARIMOV_CARD, KIM_ACCOUNT = "8600123412341234", "INV-5"


@pytest.fixture
def rules(platform: Platform) -> Rules:
    platform.data_dir.joinpath("identifiers.yaml").write_text(
        "kinds: {user_id: {systems: [core_banking, cards]}}"
    )
    return load_identifiers(platform.data_dir)


@pytest.fixture
async def known(platform: Platform, rules: Rules) -> Platform:
    """The tiny bank with profiles, every person a subject."""
    async with platform.db.transaction() as tx:
        await bank.fill(tx)
    await do(platform, "insert into identity.change (change_id, at, cause) values (1, now(), 'steward')")
    await do(platform, "insert into identity.person_change (change_id, kind) values (1, 'everyone')")
    await changed(platform)
    return platform


async def do(platform: Platform, text: str, **params: Any) -> None:
    async with platform.db.transaction() as tx:
        await execute(tx, Query(text), **params)


async def move(platform: Platform, record_id: int, person_id: int) -> None:
    """What identity does when it gives a record to another person."""
    at = {"record": record_id, "person": person_id}
    [old] = await rows(
        platform, "select person_id from identity.membership where record_id = %(record)s", **at
    )
    await do(
        platform, "update identity.membership set person_id = %(person)s where record_id = %(record)s", **at
    )
    retire = (
        "update identity.person p set"
        " retired_at = case when m.found then null else now() end,"
        " merged_into = case when m.found then null else %(person)s end"
        " from (select exists (select from identity.membership where person_id = %(old)s) as found) m"
        " where p.person_id = %(old)s"
    )
    await do(platform, retire, person=person_id, old=old["person_id"])
    await do(
        platform,
        "update identity.person set retired_at = null, merged_into = null where person_id = %(person)s",
        **at,
    )
    for person in (old["person_id"], person_id):
        await do(
            platform,
            "insert into identity.person_change (change_id, person_id, kind)"
            " values (1, %(person)s, 'changed')",
            person=person,
        )


async def changed(platform: Platform) -> Followed:
    """What the jobs do after persons changed."""
    async with platform.db.transaction() as tx:
        await rebuild_all(tx, load_survivorship(), bank.NOW)
    return await follow(platform)


async def subject_of(platform: Platform, person: int) -> dict[str, Any]:
    [found] = await rows(
        platform, "select * from stitching.subject where person_id = %(person)s", person=person
    )
    return found


async def person_at(platform: Platform, kind: str, value: str) -> int | None:
    [found] = await rows(
        platform,
        "select person_id from stitching.identifier join stitching.subject using (subject_id)"
        " where kind = %(kind)s and value = %(value)s",
        kind=kind, value=value,
    )  # fmt: skip
    return found["person_id"]


async def affected(platform: Platform) -> list[Affected]:
    async with platform.db.transaction() as tx:
        return await take_affected(tx)


async def test_every_live_person_has_a_subject(known: Platform) -> None:
    found = await rows(known, "select person_id from stitching.subject order by 1")
    assert [row["person_id"] for row in found] == [1, 2, 3, 4, 5, 6]
    assert await affected(known) == [Affected(None, moved=False)]
    assert await affected(known) == []
    assert await follow(known) == Followed(0, 0, 0)


async def test_known_identifiers_lead_to_their_persons(known: Platform, rules: Rules) -> None:
    found = await take(
        known,
        seen(1, product_number=KARIMOV_CARD),
        seen(2, user_id="K104", anonymous_id="a"),
        seen(3, anonymous_id="a"),
        seen(4, email="minsu@example.co.kr"),
        seen(5, phone="+998 71 200 30 40"),
        seen(6, anonymous_id="b"),
        rules=rules,
    )
    persons = [found.persons[subject] for subject in found.subject_of]
    assert persons == [bank.KARIMOV, bank.PETROVA, bank.PETROVA, bank.KIM, bank.PETROVA, None]
    assert found.merged == ()


async def test_a_contact_counts_only_while_nothing_stronger_says_whose_it_is(
    known: Platform, rules: Rules
) -> None:
    await take(known, seen(1, anonymous_id="a", email="minsu@example.co.kr"), rules=rules)
    assert await person_at(known, "anonymous_id", "a") == bank.KIM
    await take(known, seen(2, anonymous_id="a", user_id="somebody"), rules=rules)
    assert await person_at(known, "anonymous_id", "a") is None
    assert await person_at(known, "email", "minsu@example.co.kr") is None


async def test_a_contact_of_two_persons_leads_to_nobody(known: Platform, rules: Rules) -> None:
    await do(known, "update sources.record set phone = '+998 71 200 30 40' where record_id = 109")
    await changed(known)
    await take(known, seen(1, phone="+998 71 200 30 40"), rules=rules)
    assert await person_at(known, "phone", "998712003040") is None
    await move(known, 109, bank.PETROVA)
    await changed(known)
    assert await person_at(known, "phone", "998712003040") == bank.PETROVA


async def test_a_user_without_a_record_is_who_holds_the_product(known: Platform, rules: Rules) -> None:
    await take(known, seen(1, user_id="nick", anonymous_id="a"), rules=rules)
    assert await person_at(known, "user_id", "nick") is None
    found = await take(known, seen(2, user_id="nick", product_number=KIM_ACCOUNT), rules=rules)
    assert found.persons[found.subject_of[0]] == bank.KIM
    assert len(found.merged) == 1
    assert await person_at(known, "anonymous_id", "a") == bank.KIM


async def test_two_known_persons_are_not_joined_by_an_event(known: Platform, rules: Rules) -> None:
    found = await take(known, seen(1, user_id="K104", product_number=KIM_ACCOUNT), rules=rules)
    assert found.persons[found.subject_of[0]] == bank.PETROVA
    assert await person_at(known, "product_number", KIM_ACCOUNT) == bank.KIM
    [link] = await rows(known, "select * from stitching.link")
    assert (link["joined"], link["reason"]) == (False, "two known")


async def test_identifiers_follow_when_persons_merge_and_part(known: Platform, rules: Rules) -> None:
    await take(
        known, seen(1, user_id="K104", anonymous_id="a"), seen(2, product_number=KIM_ACCOUNT), rules=rules
    )
    await affected(known)
    await move(known, 106, bank.PETROVA)
    await move(known, 107, bank.PETROVA)
    await changed(known)
    assert await person_at(known, "product_number", KIM_ACCOUNT) == bank.PETROVA
    kim, petrova = await subject_of(known, bank.KIM), await subject_of(known, bank.PETROVA)
    assert kim["merged_into"] == petrova["subject_id"]
    told = {one.subject_id for one in await affected(known) if one.moved}
    assert told == {kim["subject_id"], petrova["subject_id"]}

    await move(known, 106, bank.KIM)
    await move(known, 107, bank.KIM)
    await changed(known)
    assert await person_at(known, "product_number", KIM_ACCOUNT) == bank.KIM
    assert await person_at(known, "anonymous_id", "a") == bank.PETROVA
    assert (await subject_of(known, bank.KIM))["merged_into"] is None


async def test_followers_of_a_product_go_where_it_goes(known: Platform, rules: Rules) -> None:
    await take(known, seen(1, user_id="nick", product_number=KIM_ACCOUNT, anonymous_id="a"), rules=rules)
    await move(known, 106, bank.JOHNSON)
    await changed(known)
    assert await person_at(known, "user_id", "nick") == bank.JOHNSON
    assert await person_at(known, "anonymous_id", "a") == bank.JOHNSON


async def test_a_product_that_is_loaded_later_brings_its_user_home(known: Platform, rules: Rules) -> None:
    await take(known, seen(1, user_id="nick", product_number="NEW-1"), rules=rules)
    await take(known, seen(2, product_number="NEW-1"), rules=rules)
    assert await person_at(known, "user_id", "nick") is None
    await do(known, "insert into sources.product (record_id, number) values (109, 'NEW-1')")
    await move(known, 109, bank.JOHNSON)
    found = await changed(known)
    assert found.pointed == 1
    assert await person_at(known, "product_number", "NEW-1") == bank.JOHNSON
    assert await person_at(known, "user_id", "nick") == bank.JOHNSON


async def test_a_visitor_becomes_the_subject_of_a_person_that_is_new(known: Platform, rules: Rules) -> None:
    [visitor] = (await take(known, seen(1, user_id="K900", anonymous_id="a"), rules=rules)).subject_of
    await do(
        known,
        "insert into sources.record (system, key, digest, load_id, created_load, file_no, row_no, created_at,"
        " updated_at) values ('cards', 'K900', 'd', 1, 1, 0, 0, now(), now())",
    )
    await do(known, "insert into identity.person (created_at) values (now())")
    await do(
        known,
        "insert into identity.membership (record_id, person_id, since)"
        " select record_id, 8, now() from sources.record where key = 'K900'",
    )
    await do(
        known, "insert into identity.person_change (change_id, person_id, kind) values (1, 8, 'created')"
    )
    await changed(known)
    assert await person_at(known, "anonymous_id", "a") == 8
    merged = await rows(
        known, "select merged_into from stitching.subject where subject_id = %(id)s", id=visitor
    )
    assert merged[0]["merged_into"] == (await subject_of(known, 8))["subject_id"]


async def test_a_person_whose_records_are_gone_leaves_visitors_behind(known: Platform, rules: Rules) -> None:
    await take(known, seen(1, user_id="K104", anonymous_id="a"), rules=rules)
    await do(known, "delete from identity.membership where person_id = 2")
    await do(known, "update identity.person set retired_at = now() where person_id = 2")
    await do(
        known, "insert into identity.person_change (change_id, person_id, kind) values (1, 2, 'retired')"
    )
    await changed(known)
    assert await person_at(known, "user_id", "K104") is None
    found = await take(known, seen(2, anonymous_id="a"), seen(3, user_id="K104"), rules=rules)
    assert len(set(found.subject_of)) == 1


async def test_what_too_many_share_belongs_to_nobody(known: Platform, rules: Rules) -> None:
    first = await take(known, seen(0, user_id="u0", device_id="kiosk", anonymous_id="a"), rules=rules)
    for n in range(1, 12):
        await take(known, seen(n, user_id=f"u{n}", device_id="kiosk"), rules=rules)
    [kiosk] = await rows(known, "select * from stitching.identifier where kind = 'device_id'")
    assert kiosk["subject_id"] == first.subject_of[0]
    await block_identifiers(known, [kiosk["identifier_id"]])
    [kiosk] = await rows(known, "select * from stitching.identifier where kind = 'device_id'")
    assert kiosk["blocked"]
    found = await take(
        known, seen(20, device_id="kiosk", user_id="late"), seen(21, device_id="kiosk"),
        seen(22, device_id="kiosk", anonymous_id="b"), seen(23, anonymous_id="a"), rules=rules,
    )  # fmt: skip
    assert found.subject_of[1] == kiosk["subject_id"]
    assert len(set(found.subject_of)) == 4
    assert found.subject_of[3] == first.subject_of[0]
    await block_identifiers(known, [kiosk["identifier_id"]])


async def test_identify_calls_become_records_and_the_user_points_to_them(
    known: Platform, rules: Rules
) -> None:
    traits = {
        "firstName": "Ann", "lastName": "Lee", "email": "ann@lee.example",
        "birthday": "1985-03-14T00:00:00.000Z",
        "gender": "F", "phone": 998901112233, "address": {"city": "Tashkent", "postalCode": "100000"},
        "plan": "gold", "national_id": {"odd": 1}, "document": "AA\0",
    }  # fmt: skip
    await take(known, event(1, "identify", user_id="ann", traits=traits), rules=rules)
    [record] = await rows(known, "select * from sources.record where system = 'web'")
    assert (record["key"], record["given_name"], record["sex"], str(record["birth_date"])) == (
        "ann", "Ann", "female", "1985-03-14",
    )  # fmt: skip
    assert (record["phone"], record["city"], record["postcode"]) == ("998901112233", "Tashkent", "100000")
    assert (record["national_id"], record["document"], record["filed"]) == (None, None, False)
    await take(known, event(2, "identify", user_id="ann", traits={"email": "new@lee.example"}), rules=rules)
    [record] = await rows(known, "select * from sources.record where system = 'web'")
    assert (record["given_name"], record["email"]) == ("Ann", "new@lee.example")
    await take(known, event(3, "identify", user_id="ann", traits=traits | {"email": None}), rules=rules)
    assert (
        len(
            await rows(known, "select * from sources.change where record_id = %(id)s", id=record["record_id"])
        )
        == 1
    )
    [pointer] = await rows(known, "select * from stitching.identifier where value = 'ann'")
    assert (pointer["record_id"], pointer["record_by"]) == (record["record_id"], "key")
