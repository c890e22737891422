"""The rows that are wrong on purpose, so that a first load has something to put into quarantine."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from suzani.demo.extracts import Broken
from suzani.demo.types import Streams

_MISSING_KEY, _SAME_KEY = "missing", "same"
_PLANNED: list[tuple[str, str, str | None, tuple[bytes, bytes] | None, str]] = [
    # system, column, wrong value, bytes to replace in the written line (b"" before: cut the line there), key
    ("core_banking", "ДАТА_РОЖД", "31.02.1987", None, "new"),
    ("deposits", "fio", "Каримов Карим Каримович", None, _SAME_KEY),
    ("cards", "embossed_name", "NOMA\x00LUM", None, "new"),
    ("lending", "", None, (b"", b'"loan"'), "new"),
    ("core_banking", "", None, None, _MISSING_KEY),
    ("mortgage", "Фамилия", "Кравцова#", (b"#", b"\x98"), "new"),
    ("cards", "card_balance", "12,3x4", None, "new"),
    ("investment", "SEX", "Q", None, "new"),
    ("core_banking", "ИМЯ", "Ольга#", (b"#", b"\xd0\xff"), "new"),
    ("trade_finance", "Date of birth", "в прошлом веке", None, "new"),
    ("core_banking", "ФАМИЛИЯ", "Неизвестный", None, _SAME_KEY),
    ("investment", "BIRTHDATE", "1985/13/45", None, "new"),
    ("deposits", "", None, None, _MISSING_KEY),
]
_SHARE = 0.005


def _raw(change: tuple[bytes, bytes] | None) -> Callable[[bytes], bytes] | None:
    if change is None:
        return None
    old, new = change
    if old:
        return lambda line: line.replace(old, new)
    return lambda line: line[: line.index(new)]


def plan_broken(tables: dict[str, pa.Table], records: int, streams: Streams) -> dict[str, list[Broken]]:
    """Up to thirteen broken rows over all systems, fewer in a small bank (below one in two hundred)."""
    rng = streams("broken")
    planned: dict[str, list[Broken]] = {system: [] for system in tables}
    for number, (system, column, value, change, key) in enumerate(_PLANNED[: int(records * _SHARE)]):
        rows = tables[system].num_rows
        row = int(rng.integers(0, max(rows, 1)))
        if rows == 0:
            continue
        new_key = {_MISSING_KEY: "", _SAME_KEY: None}.get(key, f"{990_000 + number}")
        planned[system].append(Broken(row, column, value, _raw(change), new_key))
    return planned
