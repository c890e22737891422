"""Everything a person is: family, papers, phones, addresses, e-mails and how they change over the years."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from suzani.demo import identifiers
from suzani.demo.households import NEVER, Families, make_families
from suzani.demo.lexicon import Gazetteer, NameBook
from suzani.demo.types import TODAY, Addresses, Bools, Culture, Days, Habit, Ints, People, Role, Streams

_OPERATORS = np.array([90, 91, 93, 94, 95, 97, 98, 99, 88, 33, 50, 77, 20])
_OPERATOR_WEIGHTS = np.array([16, 11, 13, 11, 7, 12, 7, 9, 4, 4, 3, 2, 1]) / 100
_MAIL_HOSTS = [
    "gmail.com",
    "mail.ru",
    "inbox.uz",
    "umail.uz",
    "yandex.ru",
    "list.ru",
    "bk.ru",
    "icloud.com",
    "outlook.com",
]
_MAIL_WEIGHTS = np.array([40, 24, 7, 6, 8, 4, 3, 5, 3]) / 100
_OLD_SERIES = {"AA": 0.5, "AB": 0.2, "AC": 0.15, "KA": 0.15}
_NEW_SERIES = {"AB": 0.25, "AC": 0.25, "AD": 0.5}
_CHANGES_SINCE = np.datetime64("2012-01-01", "D")


def _some_day(count: int, rng: np.random.Generator, share: float) -> Days:
    """A day of change between 2012 and today for a share of people, never for the others."""
    span = int((TODAY - _CHANGES_SINCE).astype(np.int64))
    day = _CHANGES_SINCE + rng.integers(0, span, count).astype("timedelta64[D]")
    return np.where(rng.random(count) < share, day, NEVER)


def _mobiles(count: int, rng: np.random.Generator) -> Ints:
    operators = rng.choice(_OPERATORS, size=count, p=_OPERATOR_WEIGHTS)
    return (998 * 100 + operators) * 10**7 + rng.integers(1_000_000, 10**7, count)


def _heads(families: Families) -> Ints:
    """For each person the first person of the household."""
    return np.searchsorted(families.household, families.household, side="left")


def _phones(families: Families, streams: Streams) -> tuple[Ints, Ints, Days, Ints]:
    """Old and new mobile, the day of the change, and a household's landline (0: none)."""
    rng, count = streams("people.phones"), len(families)
    new, old = _mobiles(count, rng), _mobiles(count, rng)
    changed = _some_day(count, rng, 0.42)
    abroad = families.culture == Culture.KOREA
    new = np.where(
        abroad & (rng.random(count) < 0.35), 82_10 * 10**8 + rng.integers(2 * 10**7, 10**8, count), new
    )
    abroad = families.culture == Culture.ENGLISH
    new = np.where(
        abroad & (rng.random(count) < 0.35), 44_7 * 10**9 + rng.integers(4 * 10**8, 10**9, count), new
    )
    heads, shared = _heads(families), rng.random(count) < np.where(families.role == Role.WIFE, 0.18, 0.14)
    shared &= heads != np.arange(count)
    new, old = np.where(shared, new[heads], new), np.where(shared, old[heads], old)
    changed = np.where(shared, changed[heads], changed)
    old = np.where(changed == NEVER, new, old)
    houses = int(families.household[-1]) + 1
    landline = 998_71 * 10**7 + rng.integers(1_000_000, 4_999_999, houses)
    landline[rng.random(houses) > 0.3] = 0
    return old, new, changed, landline[families.household]


def _make_addresses(count: int, gazetteer: Gazetteer, rng: np.random.Generator) -> Addresses:
    place = rng.choice(len(gazetteer.place_weight), size=count, p=gazetteer.place_weight)
    streets = gazetteer.street.count
    street = np.minimum((streets * rng.beta(0.9, 1.4, count)).astype(np.int64), streets - 1)
    house = 1 + np.minimum(rng.geometric(0.022, count), 240)
    letter = np.where(rng.random(count) < 0.12, rng.integers(1, 5, count), 0)
    urban = gazetteer.place_postcode[place] < 1100
    flat = np.where(rng.random(count) < np.where(urban, 0.75, 0.4), rng.integers(1, 121, count), 0)
    postcode = gazetteer.place_postcode[place] * 100 + (street * 7 + place) % 99 + 1
    return Addresses(place, street, house, letter, flat, postcode)


def _homes(families: Families, streams: Streams) -> tuple[Ints, Ints, Days, int]:
    """Address ids before and after moving, the day of the move, and how many addresses there are."""
    rng, count = streams("people.homes"), len(families)
    houses = int(families.household[-1]) + 1
    old, new = families.household, families.household.copy()
    family_moves = _some_day(houses, rng, 0.22)
    new = np.where(family_moves[families.household] < NEVER, families.household + houses, new)
    moved = family_moves[families.household]
    own_moves = _some_day(count, rng, 0.22)
    leaves = (families.role == Role.CHILD) & (own_moves < NEVER)
    new = np.where(leaves, 2 * houses + np.cumsum(leaves) - 1, new)
    return old, new, np.where(leaves, own_moves, moved), 2 * houses + int(leaves.sum())


def _papers(
    families: Families, streams: Streams
) -> tuple[pa.StringArray, pa.StringArray, Days, pa.StringArray, pa.StringArray]:
    """Old and new passport, the day of re-issue, national id and tax id (null: none)."""
    rng, count = streams("people.papers"), len(families)
    old = identifiers.passports(_OLD_SERIES, count, range(100_000, 5_000_000), rng)
    new = identifiers.passports(_NEW_SERIES, count, range(5_000_000, 10_000_000), rng)
    reissued = _some_day(count, rng, 0.55)
    reissued = np.where(
        families.married_on < NEVER, np.maximum(families.married_on, _CHANGES_SINCE), reissued
    )
    foreign = (families.culture == Culture.KOREA) | (families.culture == Culture.ENGLISH)
    abroad = identifiers.foreign_passports(count, rng)
    old = pc.if_else(pa.array(foreign), abroad, old)
    new = pc.if_else(pa.array(foreign | (reissued == NEVER)), old, new)
    national = identifiers.national_ids(families.sex, families.birth, rng)
    national = pc.if_else(
        pa.array(foreign & (rng.random(count) < 0.5)), pa.scalar(None, pa.string()), national
    )
    tax = identifiers.as_text(identifiers.distinct(lambda n: rng.integers(4 * 10**8, 7 * 10**8, n), count), 9)
    tax = pc.if_else(pa.array(rng.random(count) < 0.45), tax, pa.scalar(None, pa.string()))
    return old, new, np.where(foreign, NEVER, reissued), national, tax


def _mail_names(families: Families, book: NameBook, rng: np.random.Generator) -> pa.StringArray:
    """The part before @, made of the plain Latin name and the birth year; kept at marriage."""
    count = len(families)
    habit = np.where(rng.random(count) < 0.25, int(Habit.PASSPORT), int(Habit.PLAIN))
    given = pc.utf8_lower(book.given.take(habit, 0, families.given))
    family = pc.utf8_lower(book.family.take(habit, families.sex, families.maiden))
    initial = pc.utf8_slice_codeunits(given, 0, 1)
    years = families.birth.astype("datetime64[Y]").astype(np.int64) + 1970
    year, short = identifiers.as_text(years, 4), identifiers.as_text(years % 100, 2)
    number = identifiers.as_text(rng.integers(1, 1000, count), 1)
    join = pc.binary_join_element_wise
    forms = [
        join(given, family, "."),
        join(join(given, family, "."), short, ""),
        join(join(family, given, "_"), number, ""),
        join(initial, join(family, short, ""), "."),
        join(given, join(year, number, "_"), ""),
        join(join(given, family, ""), number, ""),
        join(family, number, ""),
    ]
    picked = rng.choice(len(forms), size=count, p=[0.1, 0.2, 0.16, 0.14, 0.14, 0.16, 0.1])
    return pc.replace_substring_regex(pc.choose(pa.array(picked), *forms), r"[ '\x{2bb}\x{2bc}-]", "")


def _emails(families: Families, book: NameBook, streams: Streams) -> tuple[pa.StringArray, pa.StringArray]:
    """The usual e-mail and a second one; null where a person has none. Some families share the head's."""
    rng, count = streams("people.emails"), len(families)
    both = []
    for share in (0.55, 0.12):
        host = pa.array(_MAIL_HOSTS).take(pa.array(rng.choice(len(_MAIL_HOSTS), size=count, p=_MAIL_WEIGHTS)))
        whole = pc.binary_join_element_wise(_mail_names(families, book, rng), host, "@")
        both.append(pc.if_else(pa.array(rng.random(count) < share), whole, pa.scalar(None, pa.string())))
    heads = pa.array(_heads(families))
    shared = pa.array((rng.random(count) < 0.05) & (families.role != Role.HUSBAND))
    return pc.if_else(shared, both[0].take(heads), both[0]), both[1]


def _consents(count: int, rng: np.random.Generator) -> Bools:
    return rng.random(count) < 0.62


def make_people(
    count: int, book: NameBook, gazetteer: Gazetteer, streams: Streams
) -> tuple[People, Addresses]:
    """`count` people and the addresses they point into; the same for the same seed."""
    families = make_families(count, book, streams)
    phone_old, phone_new, phone_changed, landline = _phones(families, streams)
    address_old, address_new, moved_on, homes = _homes(families, streams)
    passport_old, passport_new, passport_changed, national_id, tax_id = _papers(families, streams)
    email, email_2 = _emails(families, book, streams)
    rng = streams("people.work")
    people = People(
        culture=families.culture, household=families.household, role=families.role, sex=families.sex,
        birth=families.birth, given=families.given, family=families.family, maiden=families.maiden,
        married_on=families.married_on, father=families.father, patronymic_style=families.patronymic_style,
        phone_old=phone_old, phone_new=phone_new, phone_changed=phone_changed, landline=landline,
        address_old=address_old, address_new=address_new, moved_on=moved_on,
        passport_old=passport_old, passport_new=passport_new, passport_changed=passport_changed,
        national_id=national_id, tax_id=tax_id, email=email, email_2=email_2,
        occupation=rng.integers(0, gazetteer.occupation.count, count),
        employer=rng.integers(0, gazetteer.employer.count, count),
        consents=_consents(count, rng),
    )  # fmt: skip
    return people, _make_addresses(homes, gazetteer, streams("people.addresses"))
