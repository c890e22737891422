"""A snapshot says what was written, or is refused: never anything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from suzani.identity.indexing import snapshot
from suzani.identity.indexing.snapshot import Snapshot, State, Unusable
from suzani.identity.pairs.packing import pack
from suzani.identity.standardising.fields import standardise
from tests.identity.people import KINDS, town

STATE = State(3, "digest", 17, datetime(2026, 3, 4, 5, 6, 7, 89, UTC))


@pytest.fixture
def kept() -> Snapshot:
    table, _ = town(30, seed=4)
    fields, _ = standardise(table, KINDS)
    return Snapshot(STATE, np.arange(table.num_rows) * 7, pack(fields, table.num_rows))


def test_what_is_read_is_what_was_written(tmp_path: Path, kept: Snapshot) -> None:
    path = tmp_path / "cache" / "file"
    snapshot.write(path, kept)
    again = snapshot.read(path, kept.packed.words)
    assert again.state == snapshot.state_of(path) == STATE
    assert np.array_equal(again.record_id, kept.record_id)
    packed, read = kept.packed, again.packed
    assert (read.fields, read.makers.sources) == (packed.fields, packed.makers.sources)
    for name in ("codes", "hashes", "contents", "keys", "filled"):
        assert np.array_equal(getattr(read, name), getattr(packed, name)), name
    for name in packed.values._fields:
        assert np.array_equal(getattr(read.values, name), getattr(packed.values, name)), name
    assert np.array_equal(read.layout.table, packed.layout.table)
    assert [file.name for file in path.parent.iterdir()] == ["file"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_without_a_file_there_is_no_state(tmp_path: Path) -> None:
    assert snapshot.state_of(tmp_path / "file") is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[:40],
        lambda data: b"",
        lambda data: b"nonsense" + data,
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 8]) + data[len(data) // 2 + 1 :],
        lambda data: data[:25] + bytes([99]) + data[26:],
        lambda data: data[:60] + b"x" + data[61:],
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, kept: Snapshot, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "file"
    snapshot.write(path, kept)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(Unusable, match="cannot be read"):
        snapshot.read(path, kept.packed.words)


def test_a_file_of_another_version_of_the_program_is_refused(
    tmp_path: Path, kept: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot.write(tmp_path / "file", kept)
    monkeypatch.setattr(snapshot, "__version__", "99")
    with pytest.raises(Unusable, match="version"):
        snapshot.state_of(tmp_path / "file")


def test_of_two_that_write_at_once_one_is_read(tmp_path: Path, kept: Snapshot) -> None:
    path = tmp_path / "file"
    for change_id in (1, 2):
        snapshot.write(path, replace(kept, state=replace(STATE, change_id=change_id)))
    state = snapshot.state_of(path)
    assert state is not None
    assert state.change_id == 2
