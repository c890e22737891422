"""The attributes of a person that source systems hold, each with its kind.

A mapping says which column is which attribute; `suzani link` works the same out from a column's name and
content. The kind decides how a value is standardised, compared and shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a value is, and so how it is standardised and compared."""

    GIVEN_NAME = "given_name"
    FAMILY_NAME = "family_name"
    PATRONYMIC = "patronymic"
    GENERATION = "generation"
    FULL_NAME = "full_name"
    ORGANISATION = "organisation"
    SEX = "sex"
    BIRTH_DATE = "birth_date"
    BIRTH_YEAR = "birth_year"
    BIRTH_MONTH = "birth_month"
    BIRTH_DAY = "birth_day"
    NATIONAL_ID = "national_id"
    DOCUMENT = "document"
    PHONE = "phone"
    EMAIL = "email"
    ADDRESS = "address"
    STREET = "street"
    HOUSE = "house"
    CITY = "city"
    REGION = "region"
    POSTCODE = "postcode"
    COUNTRY = "country"
    OCCUPATION = "occupation"
    TEXT = "text"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a source record: its name in mappings and tables, and its kind."""

    name: str
    kind: Kind


ATTRIBUTES: dict[str, Attribute] = {
    name: Attribute(name, kind)
    for name, kind in {
        "given_name": Kind.GIVEN_NAME,
        "family_name": Kind.FAMILY_NAME,
        "patronymic": Kind.PATRONYMIC,
        "maiden_name": Kind.FAMILY_NAME,
        "full_name": Kind.FULL_NAME,
        "sex": Kind.SEX,
        "birth_date": Kind.BIRTH_DATE,
        "national_id": Kind.NATIONAL_ID,
        "tax_id": Kind.NATIONAL_ID,
        "document": Kind.DOCUMENT,
        "phone": Kind.PHONE,
        "phone_2": Kind.PHONE,
        "email": Kind.EMAIL,
        "address": Kind.ADDRESS,
        "city": Kind.CITY,
        "region": Kind.REGION,
        "postcode": Kind.POSTCODE,
        "country": Kind.COUNTRY,
        "occupation": Kind.OCCUPATION,
        "employer": Kind.TEXT,
    }.items()
}
"""Every person attribute a mapping may fill, by name; the columns of `sources.record`."""
