"""The people and what systems know of them look like life, in bands."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.demo import identifiers
from suzani.demo.households import NEVER
from suzani.demo.lexicon import gazetteer, name_book
from suzani.demo.people import make_people
from suzani.demo.records import allot
from suzani.demo.rendering import Bank, Columns, render
from suzani.demo.systems import SYSTEMS
from suzani.demo.types import People, Records, Role, Streams

COUNT = 20_000


@pytest.fixture(scope="module")
def bank() -> Bank:
    people, addresses = make_people(round(COUNT * 0.725), name_book(), gazetteer(), Streams(11))
    return Bank(people, addresses, name_book(), gazetteer(), Streams(11))


@pytest.fixture(scope="module")
def people(bank: Bank) -> People:
    return bank.people


@pytest.fixture(scope="module")
def records(bank: Bank) -> Records:
    return allot(bank.people, COUNT, bank.streams)


@pytest.fixture(scope="module")
def rendered(bank: Bank, records: Records) -> dict[str, tuple[Records, Columns]]:
    found = {}
    for number, system in enumerate(SYSTEMS):
        mine = records.take(records.system == number)
        found[system.name] = (mine, render(system, bank, mine))
    return found


def test_every_national_id_has_its_check_digit_birth_date_and_sex(people: People) -> None:
    texts = people.national_id.to_pylist()
    assert sum(text is None for text in texts) < len(texts) * 0.02
    held = [
        (text, sex, birth) for text, sex, birth in zip(texts, people.sex, people.birth, strict=True) if text
    ]
    assert len({text for text, _, _ in held}) == len(held)
    for text, sex, birth in held[:2_000]:
        digits = [int(sign) for sign in text]
        assert sum(w * d for w, d in zip([7, 3, 1] * 5, digits[:13], strict=False)) % 10 == digits[13]
        day, month, year = text[1:3], text[3:5], text[5:7]
        assert str(birth) == f"{18 + (digits[0] - 1) // 2}{year}-{month}-{day}"
        assert (digits[0] - 1) % 2 == sex


@given(st.integers(0, 10**13 - 1))
def test_a_check_digit_finds_every_single_wrong_digit_but_those_ten_apart(number: int) -> None:
    digit = int(identifiers.check_digit(np.array([number]))[0])
    other = number + 1 if number % 10 < 9 else number - 1
    assert 0 <= digit <= 9
    assert int(identifiers.check_digit(np.array([other]))[0]) != digit


def test_no_two_people_have_the_same_passport(people: People) -> None:
    old, new = people.passport_old.to_pylist(), people.passport_new.to_pylist()
    holders: dict[str, set[int]] = {}
    for number, pair in enumerate(zip(old, new, strict=True)):
        for passport in pair:
            holders.setdefault(passport, set()).add(number)
    assert all(len(who) == 1 for who in holders.values())


def test_siblings_share_their_fathers_name_and_twins_their_birth_date(people: People) -> None:
    child = people.role == Role.CHILD
    pairs = np.flatnonzero(child[1:] & child[:-1] & (people.household[1:] == people.household[:-1])) + 1
    assert (people.father[pairs] == people.father[pairs - 1]).all()
    twins = pairs[people.birth[pairs] == people.birth[pairs - 1]]
    assert 0.01 < len(twins) / len(pairs) < 0.06
    same_name = (people.given[twins] == people.given[twins - 1]) & (
        people.sex[twins] == people.sex[twins - 1]
    )
    assert not same_name.any()


def test_many_wives_had_another_family_name(people: People) -> None:
    wives = people.role == Role.WIFE
    renamed = people.married_on[wives] < NEVER
    assert 0.35 < renamed.mean() < 0.75
    assert (people.maiden[~wives] == people.family[~wives]).all()


def test_there_are_namesakes_and_a_long_tail(people: People) -> None:
    _, counts = np.unique(people.family, return_counts=True)
    assert 0.005 < counts.max() / len(people) < 0.06
    assert len(counts) > 1_200
    named = np.unique(np.stack([people.given, people.family, people.sex]), axis=1, return_counts=True)[1]
    assert 0.02 < named[named > 1].sum() / len(people) < 0.4


def test_records_per_person_and_doubles_inside_a_system(records: Records) -> None:
    first = records.month == 1
    assert first.sum() == COUNT
    per_person = np.unique(records.person[first], return_counts=True)[1]
    assert 1.36 < per_person.mean() < 1.40
    held = np.unique(np.stack([records.person[first], records.system[first]]), axis=1).shape[1]
    assert 0.01 < 1 - held / COUNT < 0.06


def test_keys_are_unique_in_their_system(records: Records) -> None:
    assert np.unique(np.stack([records.system, records.key]), axis=1).shape[1] == len(records)


def test_no_record_is_older_than_its_person_or_newer_than_its_extract(
    people: People, records: Records
) -> None:
    born = people.birth[records.person]
    assert (records.opened > born + np.timedelta64(15 * 365, "D")).all()
    assert (records.updated.astype("datetime64[D]") >= records.opened).all()
    assert records.updated[records.month == 1].max() < np.datetime64("2026-09-01")


def test_about_two_in_five_records_lack_a_national_id(rendered: dict[str, tuple[Records, Columns]]) -> None:
    ids = [text for _, columns in rendered.values() for text in columns["national_id"].to_pylist()]
    useful = [text for text in ids if text and len(text) == 14 and len(set(text)) > 1]
    assert 0.40 < 1 - len(useful) / len(ids) < 0.50


def test_all_scripts_are_there(rendered: dict[str, tuple[Records, Columns]]) -> None:
    def share(system: str, pattern: str) -> float:
        full = rendered[system][1]["full"]
        return float(pc.mean(pc.match_substring_regex(full, pattern).cast("float64")).as_py())

    assert 0.6 < share("core_banking", r"^[А-Яа-яЁёЎўҚқҒғҲҳ]") < 0.95
    assert 0.02 < share("core_banking", "[ЎўҚқҒғҲҳ]") < 0.3
    assert share("cards", r"^[A-Z]") > 0.95
    assert share("lending", "[ʻʼ'`‘’]") > 0.03
    assert 0.002 < share("lending", "[şçöğŞÇÖĞ]") < 0.2
    assert 0.005 < share("investment", r"[\x{AC00}-\x{D7A3}]") < 0.12


def test_mortgages_fit_their_old_encoding(rendered: dict[str, tuple[Records, Columns]]) -> None:
    columns = rendered["mortgage"][1]
    for name in ("family", "given", "address", "city", "employer"):
        assert "?" not in "".join(filter(None, columns[name].to_pylist())).encode("cp1251", "replace").decode(
            "cp1251"
        )


def test_almost_every_record_has_a_name_and_two_more_pieces_of_evidence(
    rendered: dict[str, tuple[Records, Columns]],
) -> None:
    pieces = []
    for _, columns in rendered.values():
        fields = ("birth_date", "national_id", "phone", "passport", "email", "address")
        valid = [columns[name].is_valid().to_numpy(zero_copy_only=False) for name in fields]
        pieces.append(np.sum(valid, axis=0))
        assert columns["full"].null_count == 0
    assert (np.concatenate(pieces) >= 2).mean() > 0.98


def test_an_agents_phone_is_shared_by_many(rendered: dict[str, tuple[Records, Columns]]) -> None:
    records, columns = rendered["lending"]
    digits = pc.replace_substring_regex(columns["phone"], r"\D", "")
    last = pc.utf8_slice_codeunits(digits, -9).to_pylist()
    numbers, counts = np.unique([text for text in last if text and len(text) == 9], return_counts=True)
    assert counts[numbers != "999999999"].max() > len(records) * 0.004
