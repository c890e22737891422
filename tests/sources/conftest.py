"""A platform that knows a small system with every kind of column."""

from __future__ import annotations

from pathlib import Path

import pytest

from suzani.infra.platform import Platform
from suzani.sources import LoadOptions, LoadReport, Mapping, load
from suzani.sources.mapping_file import parse_mapping
from tests.sources.bank_extract import MAPPING, LoadBank


@pytest.fixture
def mapping() -> Mapping:
    return parse_mapping(MAPPING, "bank.yaml")


@pytest.fixture
def load_bank(platform: Platform, tmp_path: Path) -> LoadBank:
    """Load the bank's extracts, each given as text or bytes."""
    folder = platform.data_dir / "mappings"
    folder.mkdir(parents=True)
    (folder / "bank.yaml").write_text(MAPPING, encoding="utf-8")

    async def run(*texts: str | bytes, options: LoadOptions | None = None, name: str = "bank") -> LoadReport:
        paths = []
        for i, text in enumerate(texts):
            path = tmp_path / f"{name}{i}.csv"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            paths.append(path)
        return await load(platform, "bank", paths, options)

    return run
