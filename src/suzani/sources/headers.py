"""Column names that files use for the attributes of a person, in the languages banks keep them in."""

from __future__ import annotations

import re

from suzani.kernel import Kind

_CAMEL = re.compile(r"(?<=[a-zа-яё])(?=[A-ZА-ЯЁ])")
_SEPARATORS = re.compile(r"[^\w]+|_+")

# The first line that matches decides, so exceptions stand before the general case. Patterns see the header
# in lower case with single spaces between its words.
_PATTERNS: tuple[tuple[Kind, str], ...] = (
    (Kind.IGNORE, r"\b(type|status|category|amount|balance|flag|source|currency|score|priority)\b"),
    (Kind.IGNORE, r"(passport|licen[cs]e|id|tax|document|doc) (country|state|type|issuer|date|region)"),
    (Kind.IGNORE, r"\b(rel|anchor|pointer)\b.*\b(key|role|domain)\b"),
    (Kind.IGNORE, r"\blast (update|change|login|visit|seen|contact|activity|payment|transaction)"),
    (Kind.IGNORE, r"\b(created|updated|modified|opened|closed|loaded|registered|issued|expires?)\b"),
    (Kind.BIRTH_YEAR, r"^by$|birth ?year|year of birth|год рождения|^yob$"),
    (Kind.BIRTH_MONTH, r"^bm$|birth ?month|month of birth"),
    (Kind.BIRTH_DAY, r"^bd$|birth ?day$|day of birth"),
    (
        Kind.BIRTH_DATE,
        r"\bdob\b|birth ?date|date of birth|birth ?dt|дата рожд|tug.?ilgan|생년월일|\bborn\b|д р$",
    ),
    (Kind.CITY, r"birth ?place|place of birth|место рожд|tug.?ilgan joy"),
    (Kind.EMAIL, r"e ?mail|эл.*почта|почта$|elektron|이메일"),
    (
        Kind.NATIONAL_ID,
        r"\bssn\b|soc(ial)? ?sec|national ?id|pinfl|jshshir|пинфл|\binn\b|\bинн\b|snils|снилс",
    ),
    (Kind.NATIONAL_ID, r"\brrn\b|주민|tax ?(id|no|number)|\bstir\b|стир|\bnin\b|personal (no|number|code)"),
    (Kind.DOCUMENT, r"passport|паспорт|pasport|driver|licen[cs]e|document|документ|hujjat|id ?card|여권"),
    (Kind.PHONE, r"phone|mobile|\btel\b|telephone|\bcell|msisdn|телефон|\bтел\b|telefon|мобильн|전화|fax"),
    (Kind.SEX, r"^sex$|gender|^пол$|\bjins|성별"),
    (Kind.ORGANISATION, r"name org|\borg name|company|organi[sz]ation|legal name|korxona|организация|회사"),
    (Kind.PATRONYMIC, r"patronym|middle ?name|name middle|отчество|otchestvo|sharif|otasining|fathers? name"),
    (
        Kind.FULL_NAME,
        r"full ?name|name full|first and (sur|last)|\bfio\b|ф ?и ?о\b|f ?i ?sh\b|ф ?и ?ш\b|성명",
    ),
    (Kind.FAMILY_NAME, r"sur ?name|family ?name|last ?name|name last|lname|\blast\b|maiden|девичья|фамилия"),
    (Kind.FAMILY_NAME, r"famil|фам\b|^성$"),
    (
        Kind.GIVEN_NAME,
        r"given ?name|first ?name|name first|fname|fore ?name|\bfirst\b|^имя|^ismi?$|\bism\b|이름",
    ),
    (Kind.OCCUPATION, r"occupation|profession|job|должность|профессия|kasb|lavozim|직업"),
    (Kind.TEXT, r"employer|работодатель|место работы|ish joyi"),
    (Kind.POSTCODE, r"post ?(al )?code|postcode|^zip|zip ?code|индекс|pochta indeksi|우편"),
    (Kind.HOUSE, r"street n(o|um)|\bhouse(?!hold)|hnumber|^дом$|^uy$|building n|flat|apartment|квартира"),
    (Kind.ADDRESS, r"address|\baddr (full|line)|^addr$|адрес|manzil|주소"),
    (Kind.STREET, r"street|улица|ko.?cha"),
    (Kind.CITY, r"\bcity|town|suburb|locality|город|shahar|도시"),
    (Kind.REGION, r"\bstate\b|region|province|county|viloyat|область|регион|district|район|tuman"),
    (Kind.COUNTRY, r"country|страна|davlat|nationality|citizenship|гражданство|국가"),
    (Kind.FULL_NAME, r"^(customer |client |person |holder |native )?name$|^клиент$|^mijoz$"),
)
_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _PATTERNS)


def kind_of_header(name: str) -> Kind | None:
    """The kind that a column name stands for, or None when it is not known."""
    words = _SEPARATORS.sub(" ", _CAMEL.sub(" ", name)).strip().lower()
    for kind, pattern in _COMPILED:
        if pattern.search(words):
            return kind
    return None
