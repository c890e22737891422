from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from suzani.profiles import validity

TODAY = date(2026, 9, 1)


@pytest.mark.parametrize(
    ("attribute", "valid", "invalid"),
    [
        (
            "phone",
            ["+998 90 123-45-67", "90 123 45 67", "+7 (912) 000-11-22", "010-1234-5678"],
            ["12", "нет"],
        ),
        ("email", ["a.b@mail.uz", "x+y@sub.example.co.kr"], ["a@b", "a b@mail.uz", "@mail.uz", "mail.uz"]),
        ("document", ["AA1234567", "AA 1234567", "М12345678", "4509 123456"], ["A1", "12345"]),
        ("birth_date", [date(1985, 3, 14)], [date(1850, 1, 1), date(2030, 1, 1)]),
        ("national_id", ["31403850000017"], ["31403850000018", "123", "abc"]),
        ("city", ["anything"], []),
    ],
)
def test_values_are_checked_by_kind(attribute: str, valid: list[object], invalid: list[object]) -> None:
    assert validity.valid(attribute, pa.array(valid), TODAY).all()
    if invalid:
        assert not validity.valid(attribute, pa.array(invalid), TODAY).any()


@pytest.mark.parametrize(
    ("attribute", "fillers", "real"),
    [
        (
            "given_name",
            ["нет", "НЕТ", "-", "n/a", "unknown", "yo'q", "не указано", "없음", "..."],
            ["Нетай", "Азиз", "민수"],
        ),
        ("phone", ["998000000000", "+998 00 000-00-00", "1111111", "нет"], ["+998 90 123-45-67"]),
        ("birth_date", [date(1900, 1, 1), date(1970, 1, 1)], [date(1985, 3, 14)]),
        ("email", ["no@mail.ru", "test@test.com", "-"], ["nodira@mail.ru"]),
        ("national_id", ["00000000000000", "11111111111111"], ["31403850000017"]),
    ],
)
def test_placeholders_are_told_from_values(attribute: str, fillers: list[object], real: list[object]) -> None:
    assert validity.placeholders({attribute: pa.array(fillers)})[attribute].all()
    assert not validity.placeholders({attribute: pa.array(real)})[attribute].any()


def test_nulls_and_empty_columns_are_nothing() -> None:
    assert len(validity.valid("phone", pa.array([], pa.string()), TODAY)) == 0
    assert not validity.placeholders({"phone": pa.array([None], pa.string())})["phone"].any()
