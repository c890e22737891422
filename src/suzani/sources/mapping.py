"""A mapping: which column of a system's extract is which attribute, and how to read it.

A mapping is a YAML file (see docs/sources.md). The shipped ones lie in `suzani/sources/mappings`; a file of
the same name in `<data directory>/mappings` takes the place of a shipped one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from suzani.kernel import ATTRIBUTES, InvalidInput
from suzani.sources.types import Mode

RECORD_FIELDS: tuple[str, ...] = (*ATTRIBUTES, "marketing_consent", "consent_at")
"""What `attributes:` may fill: the person attributes and the consent."""

PRODUCT_FIELDS: tuple[str, ...] = (
    "number",
    "kind",
    "name",
    "currency",
    "balance",
    "status",
    "opened_on",
    "closed_on",
)
"""What a group of `products:` may fill."""

ENDINGS: dict[str, str] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".psv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".xlsx": "excel",
    ".xls": "excel",
    ".xlsb": "excel",
    ".ods": "excel",
}
"""The format a file's ending tells; `.gz` after it is looked through."""


@dataclass(frozen=True, slots=True)
class Format:
    """How the file is written. `type` None: by the file's ending; `sheet` None: the first."""

    type: str | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"
    quote: str = '"'
    header: bool = True
    sheet: str | None = None
    nulls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """Where one value comes from and how its text is read.

    Either `columns` (joined by `join` when several) or `constant`. `values` maps what the system writes to
    what is stored; with `lenient` an unknown value is read as missing instead of refusing the row.
    `line` is its line in the mapping file.
    """

    columns: tuple[str, ...] = ()
    constant: str | None = None
    join: str = " "
    values: dict[str, str | None] | None = None
    lenient: bool = False
    optional: bool = False
    formats: tuple[str, ...] = ()
    timezone: str = "UTC"
    decimal: str = "."
    thousands: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Deleted:
    """The row marks a deletion when `column` holds one of `values`."""

    column: str
    values: frozenset[str]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Mapping:
    """The whole mapping of one system; `digest` is of its text, `origin` the file it was read from."""

    system: str
    title: dict[str, str]
    format: Format
    mode: Mode
    key: Field
    attributes: dict[str, Field]
    products: tuple[dict[str, Field], ...] = ()
    extra: tuple[str, ...] = ()
    previous_key: Field | None = None
    deleted: Deleted | None = None
    as_of: Field | None = None
    digest: str = ""
    origin: str = ""
    extra_line: int = 0
    lines: dict[str, int] = field(default_factory=dict)

    def places(self) -> Iterator[tuple[str, Field]]:
        """Every field with the path that names it in the YAML, the key first."""
        yield "key", self.key
        if self.previous_key:
            yield "previous_key", self.previous_key
        if self.deleted:
            yield "deleted", Field(columns=(self.deleted.column,), line=self.deleted.line)
        if self.as_of:
            yield "as_of", self.as_of
        for name, place in self.attributes.items():
            yield f"attributes.{name}", place
        for i, group in enumerate(self.products):
            for name, place in group.items():
                yield f"products[{i}].{name}", place
        for column in self.extra:
            yield "extra", Field(columns=(column,), line=self.extra_line)

    def columns(self) -> tuple[str, ...]:
        """Every column the mapping names, each once, in the order of first mention."""
        return tuple(dict.fromkeys(column for _, place in self.places() for column in place.columns))

    def name(self, language: str = "en") -> str:
        """The system's title in a language, or the nearest there is."""
        return self.title.get(language) or self.title.get("en") or self.system


def missing_columns(mapping: Mapping, present: Sequence[str]) -> list[tuple[str, Field, str]]:
    """The places (path, field, column) of a mapping whose column is not among those `present`.

    Optional fields are left out.
    """
    there = set(present)
    return [
        (path, place, column)
        for path, place in mapping.places()
        if not place.optional
        for column in place.columns
        if column not in there
    ]


def refuse_missing(mapping: Mapping, present: Sequence[str], file: str) -> None:
    """Raise `InvalidInput` when the mapping names a column the file lacks, saying where it is named."""
    missing = missing_columns(mapping, present)
    if not missing:
        return
    named = "; ".join(f"{path} (line {place.line}) names {column!r}" for path, place, column in missing)
    raise InvalidInput(
        f"the mapping {mapping.origin} names columns that {file} does not have: {named}",
        hint=f"The file's columns: {', '.join(present) or 'none'}. Correct the mapping, or mark the field "
        "`optional: true` if the system leaves it out at times.",
    )


def absent_optional(mapping: Mapping, present: Sequence[str]) -> frozenset[str]:
    """The mapped columns the file lacks, once `refuse_missing` has let it through."""
    return frozenset(mapping.columns()) - set(present)
