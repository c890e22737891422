from __future__ import annotations

from suzani.infra.platform import Platform
from suzani.stitching import load_identifiers
from tests.stitching.stream import RULES, event, rows, seen, take, together


async def test_a_visitor_joins_the_user_at_identification_with_all_history(platform: Platform) -> None:
    first = await take(platform, seen(1, anonymous_id="a"), seen(2, anonymous_id="b"))
    assert len(set(first.subject_of)) == 2
    assert first.persons == dict.fromkeys(first.subject_of)
    second = await take(platform, seen(3, anonymous_id="a", user_id="u"), seen(4, anonymous_id="a"))
    assert len(second.merged) == 0
    assert set(second.subject_of) == {first.subject_of[0]}
    assert await together(platform) == {frozenset("au"), frozenset("b")}


async def test_a_visitor_becomes_part_of_a_user_who_was_seen_before(platform: Platform) -> None:
    [user] = (await take(platform, seen(1, user_id="u"))).subject_of
    [visitor] = (await take(platform, seen(2, anonymous_id="a"))).subject_of
    found = await take(platform, seen(3, anonymous_id="a", user_id="u"))
    assert len(set(found.subject_of)) == 1
    assert sorted(found.merged[0]) == sorted((user, visitor))
    assert found.merged[0][1] == found.subject_of[0]
    assert found.reshaped == frozenset()
    [lost] = await rows(platform, "select * from stitching.subject where merged_into is not null")
    assert (lost["subject_id"], lost["merged_into"]) == found.merged[0]


async def test_on_a_shared_device_the_visitor_stays_with_the_first_user(platform: Platform) -> None:
    found = await take(
        platform,
        seen(1, anonymous_id="a", device_id="d"),
        seen(2, anonymous_id="a", user_id="first", device_id="d"),
        seen(3, anonymous_id="a", user_id="second", device_id="d"),
        seen(4, anonymous_id="a", device_id="d"),
    )
    mine, other = found.subject_of[1], found.subject_of[2]
    assert list(found.subject_of) == [mine, mine, other, mine]
    assert mine != other
    refused = await rows(platform, "select reason from stitching.link where reason = 'two known'")
    assert len(refused) == 2


async def test_who_somebody_was_seen_with_directly_counts_before_a_device(platform: Platform) -> None:
    await take(
        platform,
        seen(1, user_id="father", anonymous_id="a", device_id="tablet"),
        seen(2, anonymous_id="b", device_id="tablet"),
    )
    assert await together(platform) == {frozenset({"father", "a", "tablet", "b"})}
    found = await take(platform, seen(3, user_id="son", anonymous_id="b"))
    assert await together(platform) == {frozenset({"father", "a", "tablet"}), frozenset({"son", "b"})}
    assert len(found.reshaped) == 2


async def test_an_earlier_event_that_comes_late_has_the_last_word(platform: Platform) -> None:
    await take(platform, seen(5, user_id="second", anonymous_id="a"))
    await take(platform, seen(3, user_id="first", anonymous_id="a"))
    assert await together(platform) == {frozenset({"first", "a"}), frozenset({"second"})}


async def test_an_event_belongs_to_its_strongest_identifier(platform: Platform) -> None:
    found = await take(platform, seen(1, user_id="u", anonymous_id="a", email="ann@bank.uz", device_id="d"))
    [row] = await rows(
        platform, "select * from stitching.identifier where identifier_id = %(id)s", id=found.identifier_of[0]
    )
    assert (row["kind"], row["value"]) == ("user_id", "u")


async def test_blocked_values_identify_nobody(platform: Platform) -> None:
    found = await take(
        platform,
        seen(1, user_id="null", anonymous_id="a"),
        seen(2, user_id="UNDEFINED", anonymous_id="00000000-0000-0000-0000-000000000000"),
        event(3, user_id="x" * 201, context={"device": {"id": ["a", "list"]}, "traits": {"email": 5}}),
        event(4, user_id="a\x1fb"),
    )
    assert list(found.subject_of[1:]) == [0, 0, 0]
    assert list(found.identifier_of[1:]) == [0, 0, 0]
    assert await together(platform) == {frozenset("a")}


async def test_values_are_compared_in_their_standard_form(platform: Platform) -> None:
    found = await take(
        platform,
        seen(1, email="Ann <Ann@Bank.uz>", anonymous_id="a"),
        seen(2, email="ann@bank.uz"),
        seen(3, phone="+998 90 123-45-67"),
        seen(4, phone="90 123 45 67"),
    )
    assert len(set(found.subject_of)) == 2
    assert RULES.name("phone", "(90) 123-45-67") == "998901234567"


async def test_users_are_never_joined_by_what_they_share(platform: Platform) -> None:
    events = [seen(n, user_id=f"u{n}", email="family@bank.uz", anonymous_id=f"a{n}") for n in range(3)]
    await take(platform, *events)
    assert await together(platform) == {
        frozenset({"u0", "a0", "family@bank.uz"}), frozenset({"u1", "a1"}), frozenset({"u2", "a2"}),
    }  # fmt: skip


async def test_an_alias_joins_a_visitor_or_a_user_of_before(platform: Platform) -> None:
    await take(
        platform,
        seen(1, anonymous_id="visitor"),
        seen(2, user_id="old"),
        event(3, "alias", user_id="new", previous_id="visitor"),
        event(4, "alias", user_id="new", previous_id="old"),
    )
    [one] = [values for values in await together(platform) if "new" in values]
    assert {"visitor", "old", "new"} <= one


async def test_aliases_in_a_circle_are_one(platform: Platform) -> None:
    await take(
        platform,
        event(1, "alias", user_id="a", previous_id="b"),
        event(2, "alias", user_id="b", previous_id="a"),
    )
    found = await take(platform, seen(3, user_id="a"), seen(4, user_id="b"))
    assert len(set(found.subject_of)) == 1


async def test_more_than_the_limit_are_left_out(platform: Platform) -> None:
    platform.data_dir.joinpath("identifiers.yaml").write_text("kinds: {anonymous_id: {limit: 2}}")
    rules = load_identifiers(platform.data_dir)
    for n in range(4):
        await take(platform, seen(n, user_id="u", anonymous_id=f"a{n}"), rules=rules)
    assert await together(platform) == {frozenset({"u", "a0", "a1"}), frozenset({"a2"}), frozenset({"a3"})}
    reasons = await rows(platform, "select reason from stitching.link order by at")
    assert [row["reason"] for row in reasons] == ["", "", "limit", "limit"]


async def test_a_batch_that_comes_again_changes_nothing(platform: Platform) -> None:
    batch = [seen(1, user_id="u", anonymous_id="a"), seen(2, anonymous_id="a", device_id="d")]
    first = await take(platform, *batch)
    before = await rows(platform, "select * from stitching.link order by at"), await together(platform)
    again = await take(platform, *batch)
    assert again.subject_of == first.subject_of
    assert (
        await rows(platform, "select * from stitching.link order by at"),
        await together(platform),
    ) == before
    assert again.merged == ()


async def test_nothing_comes_of_nothing(platform: Platform) -> None:
    assert (await take(platform)).subject_of == []


async def test_the_receiver_of_a_message_is_known_by_its_address(platform: Platform) -> None:
    opened = event(2, name="Email Opened", properties={"email": "Ann@Bank.uz"})
    clicked = event(3, name="SMS Clicked", properties={"phone": "90 123 45 67"}, anonymous_id="a")
    found = await take(platform, seen(1, user_id="u", email="ann@bank.uz"), opened, clicked)
    assert found.subject_of[0] == found.subject_of[1] != found.subject_of[2] != 0
    assert await together(platform) == {frozenset({"u", "ann@bank.uz"}), frozenset({"a", "998901234567"})}


async def test_an_address_in_any_other_event_may_be_somebody_elses(platform: Platform) -> None:
    invited = event(2, name="Friend Invited", properties={"email": "ann@bank.uz"})
    by_bob = event(3, name="Friend Invited", properties={"email": "ann@bank.uz"}, user_id="bob")
    found = await take(platform, seen(1, user_id="u", email="ann@bank.uz"), invited, by_bob)
    assert found.subject_of[1] == 0
    assert await together(platform) == {frozenset({"u", "ann@bank.uz"}), frozenset({"bob"})}


async def test_a_receiver_who_is_no_text_is_nobody(platform: Platform) -> None:
    opened = event(1, name="Email Opened", properties={"email": ["ann@bank.uz"]})
    assert list((await take(platform, opened)).subject_of) == [0]
