"""Model files: what was learned, as JSON that one can read, keep and compare."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from suzani.identity.models.calibration import Calibration
from suzani.identity.models.comparisons import LABELS, level_count
from suzani.identity.models.interactions import Interaction
from suzani.kernel import InvalidInput, Kind

FORMAT = "suzani-identity-model"
VERSION = 2
READABLE = (1, 2)
"""Versions of model files that can be read; 1 has neither interactions nor calibration."""


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
    are different people of one household; `records` is the size of the data they were learned on.

    `interactions` correct the sum of the fields' weights where two fields say the same thing; `calibration`
    turns the sum into odds that hold."""

    fields: tuple[FieldModel, ...]
    prior: float
    household: float
    records: int
    interactions: tuple[Interaction, ...] = ()
    calibration: Calibration | None = None

    def to_json(self) -> str:
        """The model as a JSON document that `from_json` reads back."""
        return json.dumps({"format": FORMAT, "version": VERSION, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str, where: str = "model") -> Model:
        """Read a model; raises InvalidInput that names what is wrong in it."""
        data = _document(text, where)
        try:
            fields = tuple(FieldModel(**part) for part in data["fields"])
            interactions = tuple(Interaction(**part) for part in data.get("interactions") or ())
            calibration = Calibration(**data["calibration"]) if data.get("calibration") else None
            shares = float(data["prior"]), float(data["household"])
            model = cls(fields, *shares, int(data["records"]), interactions, calibration)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InvalidInput(
                f"{where} lacks or misstates a part: {error}", hint="Train the model again and save it."
            ) from None
        _check(model, where)
        return model


def _document(text: str, where: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            f"{where} is not JSON: {error}", hint="Give a file that --save-model wrote."
        ) from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InvalidInput(f"{where} is no identity model", hint="Give a file that --save-model wrote.")
    if data.get("version") not in READABLE:
        raise InvalidInput(
            f"{where} has version {data.get('version')!r}; this program reads {READABLE}",
            hint="Update the program, or train and save the model again.",
        )
    return data


def _check(model: Model, where: str) -> None:
    for part in model.fields:
        _check_field(part, where)
    if not (0 < model.prior < 1 and 0 <= model.household < 1 and model.prior + model.household < 1):
        raise InvalidInput(f"{where}: prior and household must be probabilities, together below 1")
    names = [part.name for part in model.fields]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"{where}: the field {name!r} stands twice; give each field once")
    sizes = {part.name: len(part.m) for part in model.fields}
    for interaction in model.interactions:
        interaction.check(sizes, where)
    if model.calibration is not None:
        model.calibration.check(where)


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
