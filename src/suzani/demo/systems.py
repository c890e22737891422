"""The seven product systems: how many customers each knows, and the habits and failings of its clerks."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType

from suzani.demo.types import Culture, Habit

Mix = tuple[tuple[Habit, float], ...]
_H = Habit


@dataclass(frozen=True)
class Scripts:
    """The shares of spelling habits for Uzbek names, Russian ones (and the rest), Korean and English ones."""

    uzbek: Mix
    russian: Mix
    korea: Mix
    english: Mix

    def of(self, culture: Culture) -> Mix:
        """The mix for a culture."""
        kinds = {Culture.UZBEK: self.uzbek, Culture.KOREA: self.korea, Culture.ENGLISH: self.english}
        return kinds.get(culture, self.russian)


@dataclass(frozen=True)
class Habits:
    """Shares (0 to 1) of a system's records with each peculiarity."""

    missing: MappingProxyType[str, float]
    slips: float
    """A slip in each of the given name, family name and patronymic."""
    wrong_birth: float
    placeholder: float = 0.004
    capitals: float = 0.05
    swapped: float = 0.01
    joined: float = 0.006
    initials: float = 0.005
    title: float = 0.0
    nickname: float = 0.02
    """Given name with -jon, -bek, -xon or -oy."""
    stale: float = 0.3
    """Contacts and papers as they were when the customer was taken on."""
    agent_phone: float = 0.0
    full_name: bool = False
    name_order_given_first: float = 0.0
    no_patronymic_in_full: float = 0.0


@dataclass(frozen=True)
class System:
    """One product system of the bank."""

    name: str
    ending: str
    weight: float
    """How likely a customer is found here."""
    age_days: float
    """Mean age of a record's last update."""
    scripts: Scripts
    habits: Habits
    key_digits: int
    boost: MappingProxyType[Culture, float] = field(default_factory=lambda: MappingProxyType({}))


def _missing(**shares: float) -> MappingProxyType[str, float]:
    return MappingProxyType(shares)


_CORE = System(
    "core_banking", "csv", 0.40, 600,
    Scripts(
        uzbek=((_H.RUSSIAN, 0.5), (_H.RUSSIAN_OLD, 0.12), (_H.UZBEK_CYRILLIC, 0.16), (_H.UZBEK_LATIN, 0.22)),
        russian=((_H.RUSSIAN, 0.9), (_H.RUSSIAN_OLD, 0.1)),
        korea=((_H.RUSSIAN, 0.7), (_H.RUSSIAN_OLD, 0.2), (_H.PLAIN, 0.1)),
        english=((_H.RUSSIAN, 0.75), (_H.PLAIN, 0.25)),
    ),
    Habits(
        _missing(national_id=0.29, patronymic=0.06, birth_date=0.022, phone=0.1, email=0.7, passport=0.12,
                 address=0.12, sex=0.03, tax_id=0.5, occupation=0.5, consent=0.25),
        slips=0.024, wrong_birth=0.02, swapped=0.006, capitals=0.12, stale=0.3375,
    ), key_digits=8,
)  # fmt: skip
_CARDS = System(
    "cards", "csv", 0.24, 450,
    Scripts(
        uzbek=((_H.PASSPORT, 0.45), (_H.PLAIN, 0.55)),
        russian=((_H.PASSPORT, 0.5), (_H.PLAIN, 0.4), (_H.UZBEK_LATIN, 0.1)),
        korea=((_H.PLAIN, 0.5), (_H.PASSPORT, 0.5)),
        english=((_H.PLAIN, 1.0),),
    ),
    Habits(
        _missing(national_id=0.62, patronymic=0.0, birth_date=0.11, phone=0.03, email=0.45, passport=0.35,
                 address=0.6, sex=0.1, consent=0.15),
        slips=0.024, wrong_birth=0.025, capitals=1.0, full_name=True, name_order_given_first=0.35,
        no_patronymic_in_full=1.0, agent_phone=0.002, nickname=0.01,
    ), key_digits=10,
)  # fmt: skip
_LENDING = System(
    "lending", "jsonl", 0.15, 500,
    Scripts(
        uzbek=((_H.UZBEK_LATIN, 0.55), (_H.RUSSIAN, 0.2), (_H.PLAIN, 0.15), (_H.UZBEK_LETTERS, 0.1)),
        russian=((_H.RUSSIAN, 0.75), (_H.UZBEK_LATIN, 0.25)),
        korea=((_H.PLAIN, 0.6), (_H.RUSSIAN, 0.4)),
        english=((_H.PLAIN, 0.9), (_H.RUSSIAN, 0.1)),
    ),
    Habits(
        _missing(national_id=0.3, patronymic=0.12, birth_date=0.044, phone=0.03, email=0.5, passport=0.1,
                 address=0.15, sex=0.05, occupation=0.15, employer=0.2, consent=0.2),
        slips=0.04, wrong_birth=0.03, agent_phone=0.012, nickname=0.03,
    ), key_digits=9,
)  # fmt: skip
_DEPOSITS = System(
    "deposits", "parquet", 0.12, 900,
    Scripts(
        uzbek=((_H.UZBEK_CYRILLIC, 0.4), (_H.RUSSIAN, 0.35), (_H.RUSSIAN_OLD, 0.1), (_H.UZBEK_LATIN, 0.15)),
        russian=((_H.RUSSIAN, 0.95), (_H.RUSSIAN_OLD, 0.05)),
        korea=((_H.RUSSIAN, 0.6), (_H.HANGUL, 0.4)),
        english=((_H.RUSSIAN, 0.6), (_H.PLAIN, 0.4)),
    ),
    Habits(
        _missing(national_id=0.55, patronymic=0.08, birth_date=0.066, phone=0.18, email=0.75, passport=0.12,
                 address=0.2, sex=0.15, occupation=0.7, consent=0.35),
        slips=0.036, wrong_birth=0.0375, full_name=True, name_order_given_first=0.04, initials=0.01,
        stale=0.54,
    ), key_digits=9,
)  # fmt: skip
_TRADE = System(
    "trade_finance", "xlsx", 0.018, 1200,
    Scripts(
        uzbek=((_H.RUSSIAN, 0.4), (_H.RUSSIAN_OLD, 0.15), (_H.PLAIN, 0.2), (_H.PASSPORT, 0.15),
        (_H.UZBEK_LATIN, 0.1)),
        russian=((_H.RUSSIAN, 0.7), (_H.PASSPORT, 0.2), (_H.PLAIN, 0.1)),
        korea=((_H.PLAIN, 0.5), (_H.HANGUL, 0.25), (_H.RUSSIAN, 0.25)),
        english=((_H.PLAIN, 1.0),),
    ),
    Habits(
        _missing(national_id=0.75, patronymic=0.25, birth_date=0.66, phone=0.12, email=0.25, passport=0.4,
                 address=0.3, sex=0.5, tax_id=0.1, consent=0.6),
        slips=0.08, wrong_birth=0.075, placeholder=0.02, full_name=True, name_order_given_first=0.12,
        initials=0.12, title=0.35, stale=0.675, no_patronymic_in_full=0.2,
    ), key_digits=6, boost=MappingProxyType({Culture.KOREA: 3.0, Culture.ENGLISH: 2.0}),
)  # fmt: skip
_MORTGAGE = System(
    "mortgage", "csv", 0.045, 1000,
    Scripts(
        uzbek=((_H.RUSSIAN, 0.75), (_H.RUSSIAN_OLD, 0.15), (_H.PLAIN, 0.1)),
        russian=((_H.RUSSIAN, 1.0),),
        korea=((_H.RUSSIAN, 0.8), (_H.PLAIN, 0.2)),
        english=((_H.RUSSIAN, 0.8), (_H.PLAIN, 0.2)),
    ),
    Habits(
        _missing(national_id=0.38, patronymic=0.05, birth_date=0.022, phone=0.12, email=0.6, passport=0.06,
                 address=0.03, sex=0.1, occupation=0.3, employer=0.3, consent=0.3, maiden=0.6),
        slips=0.036, wrong_birth=0.025, agent_phone=0.02, swapped=0.0225, joined=0.01, stale=0.6075,
    ), key_digits=7,
)  # fmt: skip
_INVESTMENT = System(
    "investment", "csv", 0.05, 400,
    Scripts(
        uzbek=((_H.PLAIN, 0.45), (_H.PASSPORT, 0.35), (_H.UZBEK_LATIN, 0.2)),
        russian=((_H.PLAIN, 0.55), (_H.PASSPORT, 0.4), (_H.RUSSIAN, 0.05)),
        korea=((_H.HANGUL, 0.55), (_H.PLAIN, 0.3), (_H.PASSPORT, 0.15)),
        english=((_H.PLAIN, 1.0),),
    ),
    Habits(
        _missing(national_id=0.7, patronymic=0.6, birth_date=0.044, phone=0.12, email=0.04, passport=0.25,
                 address=0.35, sex=0.3, occupation=0.4, consent=0.08),
        slips=0.03, wrong_birth=0.03, swapped=0.045, nickname=0.03, stale=0.27,
    ), key_digits=8, boost=MappingProxyType({Culture.KOREA: 4.0, Culture.ENGLISH: 3.0, Culture.KORYO: 1.5}),
)  # fmt: skip

SYSTEMS: tuple[System, ...] = (_CORE, _CARDS, _LENDING, _DEPOSITS, _TRADE, _MORTGAGE, _INVESTMENT)
"""Every system, in the order of `Records.system`."""
