"""From an identify call to a person and back: the identity engine decides, and subjects follow."""

from __future__ import annotations

import pytest

from suzani.identity import separate, undo
from suzani.identity.resolving.service import resolve_if_changed
from suzani.infra.platform import Platform
from suzani.profiles.jobs import rebuild_profiles
from suzani.stitching import follow
from tests.conftest import copied_database
from tests.identity.online_bank import live, resolved_bank
from tests.stitching.stream import event, rows, seen, take
from tests.stitching.test_following import person_at


@pytest.fixture
def database_url(postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small demo bank, loaded and resolved."""
    url = copied_database(postgres_url, template_database, "suzani_stitching_bank")
    resolved_bank(url, tmp_path_factory.mktemp("bank"), 600, seed=5)
    return url


async def resolved(platform: Platform) -> None:
    """What the jobs do, one after the other, once source records changed."""
    await resolve_if_changed(platform)
    await rebuild_profiles(platform)
    await follow(platform)


async def test_a_user_becomes_a_person_as_the_engine_says_and_parts_when_that_is_undone(
    platform: Platform,
) -> None:
    await resolved(platform)
    known = next(
        one
        for one in await live(platform)
        if all(one[name] for name in ("given_name", "family_name", "birth_date", "phone", "national_id"))
    )
    traits = {
        "firstName": known["given_name"], "lastName": known["family_name"], "birthday": known["birth_date"],
        "phone": known["phone"], "national_id": known["national_id"], "email": "not an address \0",
    }  # fmt: skip
    [visitor] = (await take(platform, seen(1, anonymous_id="a", user_id="app-7"))).subject_of
    await take(platform, event(2, "identify", user_id="app-7", traits=traits))
    assert await person_at(platform, "user_id", "app-7") is None

    await resolved(platform)
    assert await person_at(platform, "user_id", "app-7") == known["person_id"]
    found = await take(platform, seen(3, anonymous_id="a"))
    assert found.persons[found.subject_of[0]] == known["person_id"]
    moved = await rows(platform, "select * from stitching.affected where moved")
    assert {visitor, found.subject_of[0]} <= {row["subject_id"] for row in moved}

    [record] = await rows(platform, "select record_id from sources.record where system = 'web'")
    parted = await separate(
        platform, [record["record_id"]], person=known["person_id"], actor="ann", reason="somebody else"
    )
    await resolved(platform)
    own = await person_at(platform, "user_id", "app-7")
    assert own != known["person_id"]
    found = await take(platform, seen(4, anonymous_id="a"), seen(5, user_id="app-7"))
    assert len(set(found.subject_of)) == 1
    assert found.persons[found.subject_of[0]] == own

    await undo(platform, parted.change_id, actor="ann", reason="the same after all")
    await resolved(platform)
    assert await person_at(platform, "anonymous_id", "a") == known["person_id"]
