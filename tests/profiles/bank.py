"""A tiny bank for tests: persons known to systems in several scripts, put straight into the tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa

from suzani.infra.db import Query, Tx, copy_in, execute
from suzani.kernel import ATTRIBUTES

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
TIME = pa.timestamp("us", tz="UTC")


def at(year: int, month: int = 1, day: int = 1) -> datetime:
    """A day in UTC."""
    return datetime(year, month, day, tzinfo=UTC)


def record(person: int, record_id: int, system: str, **values: Any) -> dict[str, Any]:
    """One source record of a person."""
    return {"person_id": person, "record_id": record_id, "system": system, **values}


KARIMOV, PETROVA, KIM, KIM_TWIN, JOHNSON, SCRIPT = 1, 2, 3, 4, 5, 6
RETIRED = 7
"""A person who was merged into KARIMOV."""

RECORDS = [
    record(
        KARIMOV,
        101,
        "core_banking",
        family_name="Каримов",
        given_name="Азиз",
        patronymic="Рустамович",
        sex="male",
        birth_date=date(1985, 3, 14),
        national_id="31403850000017",
        document="AA2468013",
        phone="+998 90 123-45-67",
        email="aziz.karimov@mail.uz",
        address="ул. Навои 12, кв 5",
        city="Ташкент",
        occupation="инженер",
        marketing_consent="granted",
        consent_at=at(2023, 5),
        as_of=at(2024, 2, 1),
    ),
    record(
        KARIMOV,
        102,
        "cards",
        full_name="KARIMOV AZIZ",
        birth_date=date(1900, 1, 1),
        document="AB7654321",
        phone="998935550011",
        marketing_consent="denied",
        consent_at=at(2025, 6),
        as_of=at(2025, 7, 2),
    ),
    record(
        KARIMOV,
        103,
        "lending",
        family_name="Karimov",
        given_name="Aziz",
        patronymic="Rustam o‘g‘li",
        sex="male",
        birth_date=date(1985, 3, 14),
        phone="90 123 45 67",
        address="Navoiy ko‘chasi 12",
        city="Toshkent",
        employer="Suzani Textile",
        as_of=at(2023, 1, 5),
    ),
    record(
        PETROVA,
        104,
        "core_banking",
        family_name="Петрова",
        given_name="Наталья",
        maiden_name="Иванова",
        sex="female",
        birth_date=date(1990, 11, 2),
        phone="+998 71 200 30 40",
        city="Самарканд",
        as_of=at(2024, 5, 5),
    ),
    record(
        PETROVA,
        105,
        "deposits",
        family_name="Иванова",
        given_name="Наталья",
        sex="female",
        birth_date=date(1990, 11, 2),
        phone="+998 71 200 30 40",
        as_of=at(2019, 5, 5),
    ),
    record(
        KIM,
        106,
        "investment",
        family_name="김",
        given_name="민수",
        sex="male",
        birth_date=date(1978, 7, 7),
        phone="+82 10-1234-5678",
        email="minsu@example.co.kr",
        country="KR",
        marketing_consent="granted",
        consent_at=at(2026, 1, 1),
        as_of=at(2026, 1, 1),
    ),
    record(KIM, 107, "cards", full_name="KIM MINSU", birth_date=date(1978, 7, 7), as_of=at(2025, 1, 1)),
    record(
        KIM_TWIN,
        108,
        "cards",
        full_name="KIM MINHO",
        birth_date=date(1978, 7, 7),
        phone="нет",
        as_of=at(2025, 1, 1),
    ),
    record(
        JOHNSON,
        109,
        "trade_finance",
        full_name="Emily Johnson",
        email="ej@johnson.example",
        as_of=at(2022, 2, 2),
    ),
    record(
        SCRIPT,
        110,
        "mortgage",
        family_name="<script>alert(1)</script>",
        given_name="Боб",
        city='"><img src=x>',
    ),
]

PRODUCTS: list[dict[str, Any]] = [
    {"record_id": 101, "number": "20208000100123456001", "kind": "account", "currency": "UZS",
     "balance": Decimal("1250000.50"), "status": "active", "opened_on": date(2019, 3, 1)},
    {"record_id": 102, "number": "8600123412341234", "kind": "card", "name": "Humo Gold", "currency": "UZS",
     "balance": Decimal("300000.00"), "status": "active"},
    {"record_id": 103, "number": "L-2023/77", "kind": "loan", "currency": "USD",
     "balance": Decimal("5000.00"), "status": "active"},
    {"record_id": 103, "number": "L-2018/01", "kind": "loan", "currency": "USD", "balance": Decimal("10.00"),
     "status": "closed", "closed_on": date(2020, 1, 1)},
    {"record_id": 106, "number": "INV-5", "kind": "investment", "currency": "KRW",
     "balance": Decimal("900.00")},
]  # fmt: skip

EDGES = [
    (101, 102, 11.1, 0.68, {"family_name": ["same form", 8.2], "given_name": ["exact", 5.0],
                            "document": ["different", -2.1]}),
    (101, 103, 21.4, 0.9996, {"family_name": ["same form", 9.5], "phone": ["exact", 9.0],
                              "birth_date": ["exact", 8.2]}),
    (104, 105, 12.0, 0.8, {"given_name": ["exact", 4.0], "phone": ["exact", 9.0]}),
    (106, 107, 15.5, 0.978, {"birth_date": ["exact", 8.2]}),
    (107, 108, 9.4, 0.4, {"family_name": ["exact", 9.1], "birth_date": ["exact", 8.2],
                          "given_name": ["different", -4.6]}),
]  # fmt: skip
"""Weights and evidence; the last one is between two persons."""

MODEL = {"prior": 2**-10, "fields": [{"name": "given_name", "kind": "given_name"}]}


async def fill(tx: Tx) -> None:
    """Put the bank into the tables of sources and identity; profiles are not built."""
    await execute(
        tx,
        Query(
            "insert into sources.load (system, file, file_digest, mapping_digest, mode, state, started_at,"
            " finished_at, rows_in, rows_new, rows_quarantined)"
            " select s, s || '.csv', 'd', 'm', 'delta', 'done', %(at)s, %(at)s, 4, 3, 1"
            " from unnest(%(systems)s::text[]) as s"
        ),
        at=NOW,
        systems=sorted({row["system"] for row in RECORDS}),
    )
    await copy_in(tx, "sources.record", _records())
    await copy_in(tx, "sources.product", pa.Table.from_pylist(PRODUCTS, schema=_PRODUCT))
    await _quarantine_and_changes(tx)
    await _identity(tx)


_PRODUCT = pa.schema(
    [("record_id", pa.int64()), ("number", pa.string()), ("kind", pa.string()), ("name", pa.string()),
     ("currency", pa.string()), ("balance", pa.decimal128(20, 2)), ("status", pa.string()),
     ("opened_on", pa.date32()), ("closed_on", pa.date32())]
)  # fmt: skip


def _records() -> pa.Table:
    schema = pa.schema(
        [("record_id", pa.int64()), ("system", pa.string()), ("key", pa.string()), ("digest", pa.binary()),
         ("load_id", pa.int64()), ("created_load", pa.int64()), ("file_no", pa.int32()),
         ("row_no", pa.int64()), ("created_at", TIME), ("updated_at", TIME), ("as_of", TIME),
         ("consent_at", TIME),
         ("marketing_consent", pa.string())]
        + [(name, pa.date32() if name == "birth_date" else pa.string()) for name in ATTRIBUTES]
    )  # fmt: skip
    fixed = {"digest": b"d", "load_id": 1, "created_load": 1, "file_no": 0, "row_no": 1, "created_at": NOW}
    rows = [{**fixed, "updated_at": NOW, "key": f"K{row['record_id']}", **row} for row in RECORDS]
    return pa.Table.from_pylist(
        [{field.name: row.get(field.name) for field in schema} for row in rows], schema
    )


async def _quarantine_and_changes(tx: Tx) -> None:
    await execute(
        tx,
        Query(
            "insert into sources.quarantine"
            " (load_id, system, file, row_no, reason, detail, raw, raw_digest, at)"
            " values (1, 'cards', 'cards.csv', 3, 'wrong_type', 'no date', 'x', 'x', %(at)s)"
        ),
        at=NOW,
    )
    before = {
        "family_name": "Каримов",
        "given_name": "Азиз",
        "phone": "+998 90 000-11-22",
        "birth_date": "1985-03-14",
    }
    await execute(
        tx,
        Query(
            "insert into sources.change (record_id, load_id, at, kind, before)"
            " values (101, 1, %(at)s, 'changed', %(before)s::jsonb)"
        ),
        at=at(2026, 9, 2),
        before=msgspec.json.encode(before).decode(),
    )


async def _identity(tx: Tx) -> None:
    await execute(
        tx,
        Query(
            "insert into identity.run"
            " (state, started_at, finished_at, records, candidates, edges, persons, report, model)"
            " values ('done', %(start)s, %(end)s, 10, 14, 4, 6, '{}', %(model)s::jsonb)"
        ),
        start=NOW,
        end=NOW + timedelta(seconds=4.2),
        model=msgspec.json.encode(MODEL).decode(),
    )
    await execute(
        tx,
        Query(
            "insert into identity.person (person_id, created_at, run_id, retired_at, merged_into)"
            " overriding system value select n, %(at)s, 1, case when n = 7 then %(at)s end,"
            " case when n = 7 then 1 end from generate_series(1, 7) as n"
        ),
        at=NOW,
    )
    await execute(tx, Query("select setval(pg_get_serial_sequence('identity.person', 'person_id'), 7)"))
    members = {
        "record_id": [row["record_id"] for row in RECORDS],
        "person_id": [row["person_id"] for row in RECORDS],
        "run_id": [1] * len(RECORDS),
        "since": pa.array([NOW] * len(RECORDS), TIME),
    }
    await copy_in(tx, "identity.membership", pa.table(members))
    names = ("record_a", "record_b", "weight_bits", "probability")
    columns: dict[str, Any] = {name: [edge[place] for edge in EDGES] for place, name in enumerate(names)}
    columns["evidence"] = [msgspec.json.encode(edge[4]).decode() for edge in EDGES]
    await copy_in(tx, "identity.edge", pa.table(columns))
