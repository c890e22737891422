"""One small bank of each month, shared by the tests that only read it."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from suzani.demo import Generated, generate

RECORDS = 4_000


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    return generate(tmp_path_factory.mktemp("bank") / "first", records=RECORDS, seed=7)


@pytest.fixture(scope="session")
def next_month(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    return generate(tmp_path_factory.mktemp("bank") / "second", records=RECORDS, seed=7, month=2)


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def truth_of(bank: Generated) -> dict[tuple[str, str], str]:
    """The person of each record by system and key."""
    truth = pq.read_table(bank.truth).to_pylist()
    return {(row["system"], row["key"]): row["person_key"] for row in truth}
