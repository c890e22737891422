"""What names and national ids show where nothing is stated: the sex, the birth date, the father's name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from suzani.identity.standardising.field import Field
from suzani.identity.standardising.standards import SEX_LABELS
from suzani.identity.values import names as name_forms
from suzani.identity.values.dictionary import MISSING, Codes, compact, recode
from suzani.identity.values.documents import Identifier
from suzani.identity.values.parts import sex_of_family_name
from suzani.kernel import Kind


def labels(sexes: Sequence[str]) -> Codes:
    """The code of each sex; one more, missing, for a missing value."""
    return np.array([*(SEX_LABELS.index(sex) if sex else MISSING for sex in sexes), MISSING], dtype=np.int32)


def shown_sexes(field: Field, rows: npt.NDArray[np.int64]) -> Codes:
    """The sex that a field's values show, for some of its rows."""
    used, held = compact(field.codes[rows, 0], len(field.texts))
    values = field.said(used)
    if field.scheme is None:
        shown = [sex_of_family_name(value) for value in values]
    else:
        passed = field.scheme.valid(values).tolist()
        shown = [field.scheme.sex(v) if ok else "" for v, ok in zip(values, passed, strict=True)]
    return np.asarray(labels(shown)[held])


def of_the_father(field: Field) -> Field:
    """Patronymics without their endings; sex has been read off them by now."""
    if field.name != "middle_name":
        return field
    used, codes = compact(field.codes, len(field.texts))
    bare = recode(name_forms.father_names(field.said(used)), codes)
    return Field(field.name, field.kind, bare.texts, bare.codes)


def dated_by_ids(fields: list[Field], rows: int) -> list[Field]:
    """Give records without a birth date the one that their valid national id carries."""
    for source in list(fields):
        if source.scheme is None:
            continue
        at = next((i for i, field in enumerate(fields) if field.name == "birth_date"), len(fields))
        none = Field("birth_date", Kind.BIRTH_DATE, [], np.full((rows, 1), MISSING, dtype=np.int32))
        fields[at : at + 1] = [_dated(next(iter(fields[at : at + 1]), none), source, source.scheme)]
    return fields


def _dated(stated: Field, source: Field, scheme: Identifier) -> Field:
    """Birth dates, with those that valid national ids carry where none is stated."""
    lacking = (stated.codes < 0).any(axis=1) & (source.codes[:, 0] >= 0)
    used, held = compact(np.where(lacking, source.codes[:, 0], MISSING), len(source.texts))
    values = source.said(used)
    passed = scheme.valid(values).tolist()
    dates = [scheme.birth_date(v) if ok else "" for v, ok in zip(values, passed, strict=True)]
    if not any(dates):
        return stated
    shown = np.where(held >= 0, held + len(stated.texts), MISSING)[:, None]
    texts = pa.concat_arrays([stated.texts, pa.array(dates, pa.string())])
    both = recode(texts, np.where(stated.codes >= 0, stated.codes, shown).astype(np.int32))
    return Field(stated.name, Kind.BIRTH_DATE, both.texts, both.codes)
