from __future__ import annotations

import pytest

from suzani.traits.windows import FEW_PIECES, Window, parse_window


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("all", Window("always", 0)),
        ("today", Window("day", 0)),
        ("last month", Window("month", 1, 1)),
        ("24m", Window("1m", 23)),
        ("2h", Window("5m", 23)),
        ("12h", Window("15m", 47)),
        ("24h", Window("1h", 23)),
        ("7d", Window("6h", 27)),
        ("1w", Window("6h", 27)),
        ("23d", Window("6h", 91)),
        ("30d", Window("day", 29)),
        ("365d", Window("day", 364)),
    ],
)
def test_a_window_has_pieces_of_the_coarsest_clock_that_fits(text: str, window: Window) -> None:
    assert parse_window(text) == window


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("90d", Window("6 days", 14)),
        ("30d", Window("2 days", 14)),
        ("31d", Window("day", 30)),
        ("7d", Window("6h", 27)),
    ],
)
def test_what_keeps_values_has_fewer_pieces(text: str, window: Window) -> None:
    assert parse_window(text, FEW_PIECES) == window


def test_the_window_before_ends_where_this_one_begins() -> None:
    assert parse_window("30d").before() == Window("day", 59, 30)
    assert parse_window("this month").before() == parse_window("last month")
