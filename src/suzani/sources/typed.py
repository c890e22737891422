"""A record as somebody typed it: its values checked and converted as a load does, one record at a time.

Pure. What is wrong is told by the name of the attribute, and nothing is taken of a record with a fault in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from suzani.kernel import ATTRIBUTES, InvalidInput
from suzani.sources import mapping as mappings
from suzani.sources.conversion import CONSENTS, SEXES, Wrong, by_values, one_day, one_moment, shown
from suzani.sources.mapping import RECORD_FIELDS, Field
from suzani.sources.shaping import content_start, row_content

LONGEST_VALUE: Final = 1_000
"""Characters; no name or address is longer."""

LONGEST_KEY: Final = 200
"""Characters."""

Value = str | date | datetime | None
Given = Mapping[str, str | None]
Read = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Typed:
    """A record ready to be stored: the `RECORD_FIELDS` that have a value, and the digest of its content."""

    system: str
    key: str
    values: dict[str, Value]
    digest: bytes

    @property
    def attributes(self) -> dict[str, str | None]:
        """The person attributes as text, dates in ISO 8601, as `RECORD_SCHEMA` has them."""
        return attributes_of(self.values)


def attributes_of(values: Mapping[str, Value]) -> dict[str, str | None]:
    """The person attributes of converted values as text."""
    return {name: str(value) for name, value in values.items() if name in ATTRIBUTES and value is not None}


class Reader:
    """Reads typed records of one system, or of none: dates by ISO 8601 and by the system's own formats."""

    def __init__(self, mapping: mappings.Mapping | None = None) -> None:
        self.system = mapping.system if mapping else ""
        places = mapping.attributes if mapping else {}
        day, moment = places.get("birth_date", Field()), places.get("consent_at", Field())
        self._reads: dict[str, Read] = {
            "sex": by_values(_with_words(places.get("sex"), SEXES), SEXES),
            "birth_date": one_day(day),
            "marketing_consent": by_values(_with_words(places.get("marketing_consent"), CONSENTS), CONSENTS),
            "consent_at": one_moment(moment),
        }
        groups = mapping.products if mapping else ()
        self._known = [name for name in RECORD_FIELDS if name in places]
        self._kinds = [[name for name in mappings.PRODUCT_FIELDS if name in group] for group in groups]
        self._starts: dict[tuple[str, ...], hashlib.blake2b] = {}

    def values(self, given: Given, where: str = "attributes") -> dict[str, Value]:
        """The values that are not empty, in their types. Raises InvalidInput for the first that is wrong."""
        values: dict[str, Value] = {}
        for name, text in given.items():
            if name not in _FIELDS:
                raise InvalidInput(
                    f"{where}.{name}: there is no such attribute", hint=f"Known: {', '.join(RECORD_FIELDS)}."
                )
            if text is not None and (cleaned := checked(text, f"{where}.{name}", LONGEST_VALUE)):
                value = self._value(name, cleaned, where)
                if value is not None:
                    values[name] = value
        return values

    def _value(self, name: str, text: str, where: str) -> Value:
        read = self._reads.get(name)
        value = text if read is None else read(text)
        if isinstance(value, Wrong):
            raise InvalidInput(f"{where}.{name}: {value.detail}", hint=_HINTS.get(name, ""))
        assert value is None or isinstance(value, str | date | datetime)  # noqa: S101 - what readers give
        return value

    def record(self, key: str, given: Given, where: str = "") -> Typed:
        """A whole record. Raises InvalidInput when the key is missing or anything in it is wrong."""
        prefix = f"{where}." if where else ""
        cleaned = checked(key, f"{prefix}key", LONGEST_KEY)
        if not cleaned:
            raise InvalidInput(
                f"{prefix}key: a record that is to be stored needs one",
                hint="Give the key that its system knows it by, or `store: false`.",
            )
        values = self.values(given, f"{prefix}attributes")
        if "consent_at" in values and "marketing_consent" not in values:
            raise InvalidInput(
                f"{prefix}attributes.consent_at: it says since when, but marketing_consent is missing",
                hint="Give both or neither.",
            )
        return Typed(self.system, cleaned, values, self._digest(values))

    def _digest(self, values: Mapping[str, Value]) -> bytes:
        """The digest that a load gives a row of this content, without products or extra columns."""
        known = {*self._known, *values}
        names = tuple(name for name in RECORD_FIELDS if name in known)
        start = self._starts.get(names)
        if start is None:
            start = self._starts[names] = content_start([*names, "extra"], self._kinds)
        digest = start.copy()
        texts = [_digestible(values.get(name)) for name in names]
        digest.update(row_content([*texts, "{}", *(None for kind in self._kinds for _ in kind)]))
        return digest.digest()


def checked(text: str, where: str, longest: int) -> str:
    """A text without padding. Raises InvalidInput when it is too long or could not be stored."""
    if not isinstance(text, str):
        raise InvalidInput(f"{where}: it must be text, not {type(text).__name__}", hint="Put it in quotes.")
    text = text.strip()
    if len(text) > longest:
        raise InvalidInput(
            f"{where}: {len(text):,} characters are too many",
            hint=f"At most {longest:,}; it began {shown(text)}.",
        )
    if "\0" in text:
        raise InvalidInput(
            f"{where}: it has a NUL character", hint="PostgreSQL cannot store it; leave it out."
        )
    if not text.isascii():
        _refuse_surrogates(text, where)
    return text


def _refuse_surrogates(text: str, where: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"{where}: it is no valid Unicode", hint="Send UTF-8.") from None


def _with_words(place: Field | None, words: dict[str, str]) -> Field:
    """The system's own values beside the words that everybody knows."""
    own = dict(place.values or {}) if place else {}
    return Field(values={**words, **own})


def _digestible(value: Value) -> str | None:
    """A value as a load digests it: days and microseconds since 1970."""
    if isinstance(value, datetime):
        elapsed = value - _EPOCH
        return str((elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds)
    return str((value - _EPOCH_DAY).days) if isinstance(value, date) else value


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.date()
_FIELDS = frozenset(RECORD_FIELDS)
_HINTS = {"birth_date": "Write dates as 1985-03-14.", "consent_at": "Write moments as 2026-01-31T12:00:00Z."}
