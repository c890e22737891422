"""The Fellegi–Sunter model: what each comparison level is worth, learned without labels.

Three latent classes explain a pair: the same person (m), unrelated people (u), and different people of one
household (h), who share family name, address and phone but neither given name nor birth date. Without the
third, families pass for persons.

Fellegi & Sunter 1969; EM as in Winkler 1988, over counts of comparison patterns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from suzani.identity.comparisons import LABELS, Levels, level_count
from suzani.kernel import InvalidInput, Kind

Floats = npt.NDArray[np.float64]

FORMAT = "suzani-identity-model"
VERSION = 1

SHARED_BY_HOUSEHOLD = frozenset(
    {
        Kind.FAMILY_NAME, Kind.PATRONYMIC, Kind.PHONE, Kind.EMAIL, Kind.ADDRESS, Kind.CITY, Kind.REGION,
        Kind.POSTCODE, Kind.COUNTRY, Kind.ORGANISATION,
    }
)  # fmt: skip

_START_EXACT: Mapping[Kind, float] = {
    Kind.SEX: 0.97, Kind.NATIONAL_ID: 0.9, Kind.DOCUMENT: 0.8, Kind.ADDRESS: 0.5, Kind.PHONE: 0.7,
    Kind.EMAIL: 0.7, Kind.OCCUPATION: 0.6, Kind.TEXT: 0.5,
}  # fmt: skip


_MOST_BY_CHANCE: Mapping[Kind, float] = {
    Kind.GIVEN_NAME: 0.1, Kind.FAMILY_NAME: 0.1, Kind.BIRTH_DATE: 0.02, Kind.ADDRESS: 0.02, Kind.PHONE: 0.01,
    Kind.EMAIL: 0.01, Kind.NATIONAL_ID: 0.005, Kind.DOCUMENT: 0.005,
}  # fmt: skip


def most_by_chance(kind: Kind) -> float:
    """The highest share of unrelated people who agree on a kind, in any population.

    A file in which more records agree holds duplicates, be it nothing but copies of one record.
    """
    return _MOST_BY_CHANCE.get(kind, 0.98)


@dataclass(frozen=True, slots=True)
class FieldModel:
    """Probability of each level among same-person (m), unrelated (u) and household (h) pairs.

    Lists run over levels 1 and up; a missing level says nothing. `weighs_frequency` tells whether agreement
    on a rare value counts for more than on a common one.
    """

    name: str
    kind: str
    m: list[float]
    u: list[float]
    h: list[float]
    weighs_frequency: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model. `prior` and `household` are the shares of random pairs that are one person, and that
    are different people of one household; `records` is the size of the data they were learned on."""

    fields: tuple[FieldModel, ...]
    prior: float
    household: float
    records: int

    def to_json(self) -> str:
        """The model as a JSON document that `from_json` reads back."""
        return json.dumps({"format": FORMAT, "version": VERSION, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str, where: str = "model") -> Model:
        """Read a model; raises InvalidInput that names what is wrong in it."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(
                f"{where} is not JSON: {error}", hint="Give a file that --save-model wrote."
            ) from None
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise InvalidInput(f"{where} is no identity model", hint="Give a file that --save-model wrote.")
        if data.get("version") != VERSION:
            raise InvalidInput(f"{where} has version {data.get('version')!r}; this program reads {VERSION}")
        try:
            fields = tuple(FieldModel(**field) for field in data["fields"])
            model = cls(fields, float(data["prior"]), float(data["household"]), int(data["records"]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InvalidInput(f"{where} lacks or misstates a part: {error}") from None
        for field in fields:
            _check_field(field, where)
        if not (0 < model.prior < 1 and 0 <= model.household < 1 and model.prior + model.household < 1):
            raise InvalidInput(f"{where}: prior and household must be probabilities, together below 1")
        return model


def _check_field(field: FieldModel, where: str) -> None:
    if not isinstance(field.name, str) or not isinstance(field.weighs_frequency, bool):
        raise InvalidInput(f"{where}: field {field.name!r} needs a text name and a true or false frequency")
    if field.kind not in [kind.value for kind in LABELS]:
        raise InvalidInput(f"{where}: field {field.name!r} has the unknown kind {field.kind!r}")
    size = level_count(Kind(field.kind)) - 1
    for letter in "muh":
        values = getattr(field, letter)
        numbers = isinstance(values, list) and all(isinstance(value, int | float) for value in values)
        if not numbers or len(values) != size or not all(0 < value <= 1 for value in values):
            raise InvalidInput(f"{where}: {letter} of {field.name!r} must be {size} probabilities above 0")


@dataclass(frozen=True)
class Patterns:
    """Distinct comparison patterns (patterns × fields) with how many pairs show each."""

    levels: npt.NDArray[np.uint8]
    counts: Floats
    of_pair: npt.NDArray[np.int64]

    @classmethod
    def of(cls, levels: Levels, kinds: Sequence[Kind]) -> Patterns:
        """Count the patterns of a matrix of levels (fields × pairs)."""
        code = np.zeros(levels.shape[1], dtype=np.int64)
        for row, kind in zip(levels, kinds, strict=True):
            code = code * level_count(kind) + row
        _, first, inverse, counts = np.unique(
            code, return_index=True, return_inverse=True, return_counts=True
        )
        return cls(levels[:, first].T, counts.astype(np.float64), inverse)


@dataclass(frozen=True)
class Evidence:
    """What training needs besides the candidates' patterns.

    `random`: per field, the share of each level (1 and up) among random pairs that have both values;
    `both_present`: the share of random pairs that have both; `pairs`: number of all pairs of records.
    """

    kinds: tuple[Kind, ...]
    names: tuple[str, ...]
    random: tuple[Floats, ...]
    both_present: tuple[float, ...]
    pairs: float
    records: int


def starting_m(kind: Kind) -> Floats:
    """A plausible m before anything is learned: most mass on the highest level, less on each lower one."""
    size = level_count(kind) - 1
    exact = _START_EXACT.get(kind, 0.8)
    lower = np.geomspace(1, 4, size - 1) if size > 1 else np.empty(0)
    return np.append((1 - exact) * lower / lower.sum(), exact)


_PRIOR_PAIRS = 12.0
_ITERATIONS = 100
_CONVERGED = 1e-4


class _Training:
    """The state of one EM run; arrays are lists over fields of probabilities over levels."""

    def __init__(self, patterns: Patterns, evidence: Evidence, households: bool) -> None:
        self.patterns, self.evidence = patterns, evidence
        self.start = [starting_m(kind) for kind in evidence.kinds]
        self.m = list(self.start)
        self.u = [random.copy() for random in evidence.random]
        self.shared = [kind in SHARED_BY_HOUSEHOLD for kind in evidence.kinds]
        self.h = [m if shared else u for m, u, shared in zip(self.m, self.u, self.shared, strict=True)]
        self.prior = min(0.2, 0.2 * max(evidence.records, 1) / evidence.pairs)
        self.household = 0.5 * self.prior if households else 0.0

    def _log(self, tables: Sequence[Floats]) -> Floats:
        total = np.zeros(len(self.patterns.counts))
        for levels, table in zip(self.patterns.levels.T, tables, strict=True):
            total += np.append(0.0, np.log(table))[levels]
        return total

    def expect(self) -> tuple[Floats, Floats]:
        """Expected number of same-person and household pairs per pattern."""
        same = np.log(self.prior) + self._log(self.m)
        unrelated = np.log1p(-self.prior - self.household) + self._log(self.u)
        home = np.log(max(self.household, 1e-300)) + self._log(self.h)
        top = np.maximum(np.maximum(same, unrelated), home)
        parts = [np.exp(part - top) for part in (same, home, unrelated)]
        total = parts[0] + parts[1] + parts[2]
        return self.patterns.counts * parts[0] / total, self.patterns.counts * parts[1] / total

    def maximise(self, same: Floats, home: Floats) -> None:
        """Re-estimate every probability from the expected counts."""
        for index, levels in enumerate(self.patterns.levels.T):
            size = len(self.start[index])
            m_mass = np.bincount(levels, weights=same, minlength=size + 1)[1:].astype(np.float64)
            h_mass = np.bincount(levels, weights=home, minlength=size + 1)[1:].astype(np.float64)
            self.m[index] = _smoothed(m_mass, self.start[index])
            pairs = self.evidence.pairs * self.evidence.both_present[index]
            random = self.evidence.random[index]
            rest = np.maximum(random * pairs - m_mass - h_mass, np.maximum(0.02 * random * pairs, 0.05))
            self.u[index] = rest / rest.sum()
            self.h[index] = _smoothed(h_mass, self.start[index]) if self.shared[index] else self.u[index]
        self.prior = float(np.clip(same.sum() / self.evidence.pairs, 1e-15, 0.5))
        if self.household:
            self.household = float(np.clip(home.sum() / self.evidence.pairs, 1e-15, 0.3))


def _smoothed(mass: Floats, prior: Floats) -> Floats:
    result = mass + _PRIOR_PAIRS * prior
    return np.asarray(result / result.sum())


def train(patterns: Patterns, evidence: Evidence) -> Model:
    """Learn a model by expectation maximisation over the candidates' comparison patterns.

    u is what random pairs show less what the expected matches among them explain, so that it stays right
    where duplicates are many. Pure; deterministic.
    """
    personal = {Kind.GIVEN_NAME, Kind.BIRTH_DATE} & set(evidence.kinds)
    shared = SHARED_BY_HOUSEHOLD & set(evidence.kinds)
    state = _Training(patterns, evidence, households=bool(personal) and len(shared) >= 2)
    for _ in range(_ITERATIONS if len(patterns.counts) else 0):
        before = list(state.m)
        state.maximise(*state.expect())
        change = (np.abs(new - old).max() for new, old in zip(state.m, before, strict=True))
        if max(change, default=0.0) < _CONVERGED:
            break
    fields = tuple(
        FieldModel(name, kind.value, m.tolist(), u.tolist(), h.tolist(), kind in WEIGHING_FREQUENCY)
        for name, kind, m, u, h in zip(evidence.names, evidence.kinds, state.m, state.u, state.h, strict=True)
    )
    return Model(fields, state.prior, state.household, evidence.records)


WEIGHING_FREQUENCY = frozenset(
    {
        Kind.GIVEN_NAME,
        Kind.FAMILY_NAME,
        Kind.BIRTH_DATE,
        Kind.CITY,
        Kind.POSTCODE,
        Kind.OCCUPATION,
        Kind.ADDRESS,
    }
)
