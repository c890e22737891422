from __future__ import annotations

import asyncio
import json

import pytest
from typer.testing import CliRunner, Result

from suzani.identity import Joined, Verdict, how, join, separate, story, why, why_not
from suzani.identity.reasons.assembly import Apart
from suzani.identity.reasons.explaining import Scored
from suzani.infra.db import Tx
from suzani.infra.platform import Platform
from suzani.kernel import InvalidInput, NotFound
from suzani.main import app
from tests.identity.persons.test_stewarding import WHO, Town, town
from tests.identity.resolving.test_service import change, rows

__all__ = ["town"]


async def test_every_person_of_a_run_is_explained_by_evidence_alone(town: Town) -> None:
    async with town.platform.db.transaction() as tx:
        for person, records in town.records.items():
            told = await how(tx, person)
            assert [name.record_id for name in told.records] == sorted(records)
            assert len(told.steps) == len(records) - 1
            assert {step.because for step in told.steps} <= {Joined.EVIDENCE}


async def test_the_waterfall_ends_at_the_odds_the_run_went_by(town: Town) -> None:
    edges = await rows(town.platform, "select * from identity.edge order by weight_bits")
    async with town.platform.db.transaction() as tx:
        for edge in edges[:5]:
            told = await why(tx, str(edge["record_b"]), str(edge["record_a"]))
            assert told.weight_bits == pytest.approx(edge["weight_bits"], abs=0.01)
            assert told.probability == pytest.approx(edge["probability"], abs=0.01)
            assert told.steps[-1].cumulative_bits == told.odds_bits
            assert told.verdict is Verdict.TOGETHER


async def test_records_may_be_named_by_system_and_key(town: Town) -> None:
    first, second = town.records[town.ids[0]][:2]
    [named] = await rows(
        town.platform, "select system, key from sources.record where record_id = %(r)s", r=first
    )
    async with town.platform.db.transaction() as tx:
        told = await why(tx, f"{named['system']}/{named['key']}", str(second))
    assert told.pair == (first, second)


@pytest.mark.parametrize("name", ["", "x", "bank/", "/1", "bank/\0"])
async def test_what_names_no_record_is_refused(town: Town, name: str) -> None:
    async with town.platform.db.transaction() as tx:
        with pytest.raises(InvalidInput, match="names no record"):
            await why(tx, "1", name)


async def test_a_stewards_join_is_a_step_of_its_own(town: Town) -> None:
    large, small = town.ids[0], town.ids[-1]
    await join(town.platform, persons=[large, small], **WHO)
    async with town.platform.db.transaction() as tx:
        told = await how(tx, small)
        pair = [str(records[0]) for records in (town.records[large], town.records[small])]
        reasons = await why(tx, *pair)
    assert told.person_id == large
    assert [step.because for step in told.steps][-1] is Joined.MUST_LINK
    assert {step.because for step in told.steps[:-1]} == {Joined.EVIDENCE}
    assert reasons.verdict in (Verdict.MUST_LINK, Verdict.THROUGH_OTHERS)


async def test_a_stewards_separation_is_what_keeps_two_apart(town: Town) -> None:
    large = town.ids[0]
    one, *rest = sorted(town.records[large])
    await separate(town.platform, [one], person=large, **WHO)
    now = await town.now()
    async with town.platform.db.transaction() as tx:
        told = await how(tx, now[rest[0]])
        near = await why_not(tx, now[one])
        reasons = await why(tx, str(one), str(rest[0]))
    assert [(kept.person_id, kept.because) for kept in told.prevented] == [(now[one], Apart.CANNOT_LINK)]
    assert [(other.person_id, other.because) for other in near.nearest] == [(now[rest[0]], Apart.CANNOT_LINK)]
    assert reasons.verdict is Verdict.CANNOT_LINK


async def test_what_is_not_kept_may_be_compared_anew(town: Town) -> None:
    large, small = town.ids[0], town.ids[-1]
    pair = town.records[large][0], town.records[small][0]

    async def compared(tx: Tx, a: int, b: int) -> Scored:
        assert (a, b) == pair
        return Scored(-20.0, {"sex": ("different", -20.0)})

    async with town.platform.db.transaction() as tx:
        anew = await why(tx, *map(str, pair))
        told = await why(tx, *map(str, pair), compare=compared)
    assert anew.weight_bits is not None
    assert anew.weight_bits < 0
    assert anew.steps
    assert (told.weight_bits, [step.field for step in told.steps]) == (-20.0, ["sex"])


async def test_a_story_explains_the_pairs_that_decided_and_one_more(town: Town) -> None:
    large = town.ids[0]
    async with town.platform.db.transaction() as tx:
        told = await story(tx, large, (town.records[large][-1], town.records[large][0]))
        with_stranger = await story(tx, large, (town.records[large][0], town.records[town.ids[-1]][0]))
    for step in told.how.steps:
        assert (step.strongest.record_a, step.strongest.record_b) in told.waterfalls
        assert (step.weakest.record_a, step.weakest.record_b) in told.waterfalls
    assert (min(town.records[large]), max(town.records[large])) in told.waterfalls
    members = set(town.records[large])
    assert all(members.issuperset(pair) for pair in with_stranger.waterfalls)


async def test_unknown_persons_and_those_without_records_are_not_found(town: Town) -> None:
    async with town.platform.db.transaction() as tx:
        with pytest.raises(NotFound, match="no person has the id 999"):
            await how(tx, 999)
    await change(town.platform, "delete from identity.membership where person_id = %(p)s", p=town.ids[-1])
    async with town.platform.db.transaction() as tx:
        with pytest.raises(NotFound, match="has no records"):
            await why_not(tx, town.ids[-1])


async def explain(platform: Platform, *arguments: object) -> Result:
    """Run `suzani explain` beside this test's event loop."""
    words = ["explain", *map(str, arguments), "--data", str(platform.data_dir)]
    return await asyncio.to_thread(CliRunner().invoke, app, words)


async def test_the_command_tells_in_words_and_as_data(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUZANI_DATABASE_URL", town.platform.settings.database_url or "")
    person = town.ids[0]
    first, second = town.records[person][:2]
    said = await explain(town.platform, "why", first, second)
    assert said.exit_code == 0
    assert said.output.startswith(f"Bank {first} and Bank {second}.")
    assert "They are one person" in said.output
    said = await explain(town.platform, "how", person, "--language", "ru")
    assert f"Человек {person}: 3 записи" in said.output
    said = await explain(town.platform, "why-not", person, "--json")
    assert json.loads(said.output)["person_id"] == person


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("how", 99999), NotFound.exit_code),
        (("why", 1, 99999), NotFound.exit_code),
        (("why", 1, "x"), InvalidInput.exit_code),
        (("why", 1, 1, "--json"), InvalidInput.exit_code),
        (("why-not", 1, "--language", "fr"), 2),
        (("why-not", "x"), 2),
    ],
)
async def test_bad_questions_end_with_an_exit_code(
    town: Town, monkeypatch: pytest.MonkeyPatch, words: tuple[object, ...], code: int
) -> None:
    monkeypatch.setenv("SUZANI_DATABASE_URL", town.platform.settings.database_url or "")
    assert (await explain(town.platform, *words)).exit_code == code
