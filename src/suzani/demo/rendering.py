"""What one system holds about its customers: typed columns with their gaps and errors, not yet laid out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from suzani.demo import contacts, noise
from suzani.demo.addresses import STYLES, style_of, write_address
from suzani.demo.lexicon import Gazetteer, NameBook
from suzani.demo.naming import clerk_habits, write_names
from suzani.demo.records import CLERKS
from suzani.demo.systems import System
from suzani.demo.types import Addresses, Bools, Culture, Days, Habit, Ints, People, Records, Streams

_NONE = pa.scalar(None, pa.string())
_EVIDENCE = ("birth_date", "national_id", "phone", "passport", "email", "address")
_CENTURY_AGO = np.datetime64("1900-01-01", "D")
_COUNTRY = np.array([{Culture.KOREA: "KR", Culture.ENGLISH: "GB"}.get(c, "UZ") for c in Culture])
_ONE_LINE = frozenset({"core_banking", "deposits", "trade_finance"})
"""Systems whose address line holds the city too."""


@dataclass(frozen=True)
class Bank:
    """The generated world that systems look at."""

    people: People
    addresses: Addresses
    book: NameBook
    gazetteer: Gazetteer
    streams: Streams


Columns = dict[str, pa.Array]


def _gaps(system: System, bank: Bank, records: Records) -> dict[str, Bools]:
    """Which fields each record lacks; almost all keep two pieces of current evidence beside the name."""
    rng = bank.streams(f"{system.name}.gaps")
    gaps = {field: rng.random(len(records)) < share for field, share in system.habits.missing.items()}
    return _with_evidence(gaps, _current(bank.people, records), rng)


def _current(people: People, records: Records) -> dict[str, Bools]:
    """Whether a record would show each piece of evidence as it is today."""
    who, day = records.person, records.known_on
    never = np.datetime64("2100-01-01", "D")

    def settled(changed: Days) -> Bools:
        return np.asarray((day >= changed[who]) | (changed[who] > never))

    return {
        "birth_date": np.ones(len(who), dtype=bool),
        "national_id": ~people.national_id.is_null().to_numpy(zero_copy_only=False)[who],
        "email": ~people.email.is_null().to_numpy(zero_copy_only=False)[who],
        "phone": settled(people.phone_changed),
        "passport": settled(people.passport_changed),
        "address": settled(people.moved_on),
    }


def _with_evidence(
    gaps: dict[str, Bools], current: dict[str, Bools], rng: np.random.Generator
) -> dict[str, Bools]:
    known = np.sum([~gaps[field] & current[field] for field in _EVIDENCE], axis=0)
    repaired = (known < 2) & (rng.random(len(known)) < 0.6)
    for field in ("birth_date", "phone", "passport"):
        gaps[field] = gaps[field] & ~repaired
    return gaps


def _births(system: System, bank: Bank, records: Records, gap: Bools) -> pa.Array:
    rng = bank.streams(f"{system.name}.births")
    birth = bank.people.birth[records.person].copy()
    wrong = rng.random(len(birth)) < system.habits.wrong_birth
    birth[wrong] = noise.wrong_dates(birth[wrong], rng)
    invented = gap & (rng.random(len(birth)) < 0.3)
    invented |= rng.random(len(birth)) < system.habits.placeholder / 4
    birth[invented] = _CENTURY_AGO
    return pa.array(birth, mask=gap & ~invented)


def _agents(system: System, records: Records, rng: np.random.Generator) -> Ints:
    """An agent's phone for the customers they brought in (a hundred or more each), 0 for the others."""
    count = len(records)
    brought = rng.random(count) < system.habits.agent_phone
    agents = max(round(brought.sum() / 110), 1)
    phones = 998_90 * 10**7 + rng.integers(1_000_000, 10**7, agents)
    return np.where(brought, phones[rng.integers(0, agents, count)], 0)


def _phones(system: System, bank: Bank, records: Records, gap: Bools) -> Columns:
    rng, people, who = bank.streams(f"{system.name}.phones"), bank.people, records.person
    count = len(who)
    number = np.where(
        records.known_on < people.phone_changed[who], people.phone_old[who], people.phone_new[who]
    )
    agent = _agents(system, records, rng)
    number = np.where(agent > 0, agent, number)
    formats = np.array(contacts.PHONE_FORMATS[system.name])
    style = formats[rng.integers(0, len(formats), CLERKS)][records.clerk]
    phone = contacts.write_phones(number, style)
    wrong = rng.random(count) < system.habits.slips * 0.6
    phone = noise.put(phone, wrong, noise.wrong_digits(phone.filter(pa.array(wrong)), rng, keep=6))
    second = np.where(rng.random(count) < 0.3, people.landline[who], 0)
    older = (rng.random(count) < 0.08) & (number != people.phone_old[who])
    second = np.where(older, people.phone_old[who], second)
    return {
        "phone": contacts.fill_placeholders("phone", phone, gap, rng),
        "phone_2": contacts.write_phones(second, style),
    }


def _papers(system: System, bank: Bank, records: Records, gaps: dict[str, Bools]) -> Columns:
    rng, people, who = bank.streams(f"{system.name}.papers"), bank.people, records.person
    count, taken = len(who), pa.array(who)
    before = pa.array(records.known_on < people.passport_changed[who])
    passport = pc.if_else(before, people.passport_old.take(taken), people.passport_new.take(taken))
    wrong = rng.random(count) < system.habits.slips * 0.5
    passport = noise.put(passport, wrong, noise.wrong_digits(passport.filter(pa.array(wrong)), rng, keep=2))
    style = rng.choice(4, size=CLERKS, p=[0.72, 0.18, 0.06, 0.04])[records.clerk]
    passport = contacts.write_passports(passport, style)
    national = people.national_id.take(taken)
    wrong = rng.random(count) < system.habits.slips * 0.3
    national = noise.put(national, wrong, noise.wrong_digits(national.filter(pa.array(wrong)), rng))
    none = gaps["national_id"] | national.is_null().to_numpy(zero_copy_only=False)
    tax_gap = gaps.get("tax_id", np.ones(count, dtype=bool))
    return {
        "passport": contacts.fill_placeholders("passport", passport, gaps["passport"], rng),
        "national_id": contacts.fill_placeholders("national_id", national, none, rng),
        "tax_id": noise.blank(people.tax_id.take(taken), tax_gap),
    }


def _emails(system: System, bank: Bank, records: Records, gap: Bools) -> pa.StringArray:
    rng, people, taken = bank.streams(f"{system.name}.emails"), bank.people, pa.array(records.person)
    count, first, second = len(records), people.email.take(taken), people.email_2.take(taken)
    email = pc.if_else(pa.array(rng.random(count) < 0.15), pc.coalesce(second, first), first)
    email = noise.spoil(email, system.habits.slips * 0.6, rng)
    email = pc.if_else(pa.array(rng.random(count) < 0.03), pc.utf8_upper(email), email)
    none = gap | email.is_null().to_numpy(zero_copy_only=False)
    return contacts.fill_placeholders("email", email, none, rng)


def _places(system: System, bank: Bank, records: Records, habit: Ints, gap: Bools) -> Columns:
    rng, people, who = bank.streams(f"{system.name}.places"), bank.people, records.person
    count = len(who)
    rows = np.where(records.known_on < people.moved_on[who], people.address_old[who], people.address_new[who])
    style = style_of(habit, rng.integers(0, 10**6, CLERKS)[records.clerk])
    written_in = np.array([int(s.habit) for s in STYLES])[style]
    line = write_address(
        bank.addresses, rows, style, bank.gazetteer,
        with_city=system.name in _ONE_LINE, short=(rng.random(count) < 0.2).astype(np.int64),
    )  # fmt: skip
    marks = rng.choice(5, size=CLERKS, p=[0.2, 0.4, 0.15, 0.15, 0.1])[records.clerk]
    line = noise.spoil(contacts.apostrophes(line, marks), system.habits.slips * 1.5, rng)
    place = bank.addresses.place[rows]
    city = contacts.apostrophes(bank.gazetteer.city.take(written_in, 0, place), marks)
    region = bank.gazetteer.region.take(written_in, 0, bank.gazetteer.place_region[place])
    postcode = pa.array(bank.addresses.postcode[rows]).cast(pa.string())
    return {
        "address": contacts.fill_placeholders("address", line, gap, rng),
        "city": noise.blank(city, gap & (rng.random(count) < 0.5)),
        "region": noise.blank(contacts.apostrophes(region, marks), gap),
        "postcode": noise.blank(postcode, gap | (rng.random(count) < 0.5)),
        "country": pa.array(_COUNTRY[people.culture[who]], pa.string()),
    }


def _work(system: System, bank: Bank, records: Records, habit: Ints, gaps: dict[str, Bools]) -> Columns:
    people, who = bank.people, records.person
    everyone = np.ones(len(who), dtype=bool)
    occupation = bank.gazetteer.occupation.take(habit, 0, people.occupation[who])
    employer = bank.gazetteer.employer.take(habit, 0, people.employer[who])
    return {
        "occupation": noise.blank(occupation, gaps.get("occupation", everyone)),
        "employer": noise.blank(employer, gaps.get("employer", everyone)),
    }


def _sexes(system: System, bank: Bank, records: Records, gap: Bools) -> pa.Array:
    """0 for men, 1 for women; a few wrong, some null."""
    rng = bank.streams(f"{system.name}.sexes")
    sex = bank.people.sex[records.person]
    return pa.array(np.where(rng.random(len(sex)) < 0.003, 1 - sex, sex), mask=gap)


def _consents(system: System, bank: Bank, records: Records, gap: Bools) -> Columns:
    """Marketing consent (0 denied, 1 granted, null unknown) and its day; systems contradict each other."""
    rng, count = bank.streams(f"{system.name}.consents"), len(records)
    given = bank.people.consents[records.person] ^ (rng.random(count) < 0.13)
    span = (records.updated.astype("datetime64[D]") - records.opened).astype(np.int64)
    day = records.opened + (rng.random(count) * (span + 1)).astype(np.int64).astype("timedelta64[D]")
    undated = gap | (rng.random(count) < 0.2)
    return {"consent": pa.array(given.astype(np.int64), mask=gap), "consent_at": pa.array(day, mask=undated)}


def render(system: System, bank: Bank, records: Records) -> Columns:
    """All that `system` holds about the customers in `records`, as equally long columns."""
    culture = bank.people.culture[records.person]
    habit = clerk_habits(system, records, culture, CLERKS, bank.streams)
    names = write_names(system, bank.people, records, habit, bank.book, bank.streams)
    gaps = _gaps(system, bank, records)
    # Hangul is used for names only; the rest of such a record is in plain Latin.
    other = np.where(habit == int(Habit.HANGUL), int(Habit.PLAIN), habit)
    return {
        "given": names.given, "family": names.family, "maiden": names.maiden, "full": names.full,
        "patronymic": names.patronymic,
        "birth_date": _births(system, bank, records, gaps["birth_date"]),
        "sex": _sexes(system, bank, records, gaps["sex"]),
        **_papers(system, bank, records, gaps),
        **_phones(system, bank, records, gaps["phone"]),
        "email": _emails(system, bank, records, gaps["email"]),
        **_places(system, bank, records, other, gaps["address"]),
        **_work(system, bank, records, other, gaps),
        **_consents(system, bank, records, gaps["consent"]),
        "opened": pa.array(records.opened),
        "updated": pa.array(records.updated),
        "clerk": pa.array(records.clerk),
    }  # fmt: skip
