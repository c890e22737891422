"""Conditions on one value, as closures: what filters of traits and rules of segments are made of.

A value that is missing satisfies no condition but `exists: false`; a value of another kind than the one
compared with satisfies none.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeAlias

from suzani.kernel import InvalidInput, NotFound

Test: TypeAlias = Callable[[Any], bool]
"""Whether a value satisfies a condition; never raises."""

_LONGEST_SEARCHED: Final = 10_000
_SCALARS: Final = (str, int, float, bool, Decimal, date)
_NUMBERS: Final = frozenset((int, float, Decimal))


def _equal(wanted: Any) -> Test:
    _scalar(wanted)
    if isinstance(wanted, bool):
        return lambda value: value is wanted
    return lambda value: value == wanted and value.__class__ is not bool


def _unequal(wanted: Any) -> Test:
    same = _equal(wanted)
    return lambda value: value is not None and not same(value)


def _among(wanted: Any) -> Test:
    tests = [_equal(item) for item in _list(wanted)]
    if all(isinstance(item, str) for item in wanted):
        texts = frozenset(wanted)
        return lambda value: value.__class__ is str and value in texts
    return lambda value: any(test(value) for test in tests)


def _not_among(wanted: Any) -> Test:
    among = _among(wanted)
    return lambda value: value is not None and not among(value)


def _exists(wanted: Any) -> Test:
    if not isinstance(wanted, bool):
        raise InvalidInput("`exists` takes true or false")
    return lambda value: (value is not None) is wanted


def _compared(holds: Callable[[Any, Any], bool]) -> Callable[[Any], Test]:
    def build(wanted: Any) -> Test:
        if wanted.__class__ in _NUMBERS:
            return lambda value: value.__class__ in _NUMBERS and holds(value, wanted)
        if isinstance(wanted, str):
            return lambda value: value.__class__ is str and holds(value, wanted)
        raise InvalidInput(f"a number or a text is compared with, not {wanted!r}")

    return build


def _between(wanted: Any) -> Test:
    if not (isinstance(wanted, list) and len(wanted) == 2 and _NUMBERS.issuperset(map(type, wanted))):
        raise InvalidInput("`between` takes two numbers: [least, most]")
    least, most = wanted
    if least > most:
        raise InvalidInput(f"`between` takes the lesser number first, not [{least}, {most}]")
    return lambda value: value.__class__ in _NUMBERS and least <= value <= most


def _matches(wanted: Any) -> Test:
    try:
        search = re.compile(_text(wanted)).search
    except re.error as error:
        raise InvalidInput(f"{wanted!r} is not a regular expression: {error}") from error
    return lambda value: isinstance(value, str) and search(value[:_LONGEST_SEARCHED]) is not None


def _contains(wanted: Any) -> Test:
    """Texts hold it as a part, lists as an item."""
    _scalar(wanted)

    def test(value: Any) -> bool:
        if isinstance(value, str):
            return isinstance(wanted, str) and wanted in value
        return isinstance(value, list | tuple) and wanted in value

    return test


def _starts_with(wanted: Any) -> Test:
    text = _text(wanted)
    return lambda value: isinstance(value, str) and value.startswith(text)


def _scalar(wanted: Any) -> None:
    if not isinstance(wanted, _SCALARS):
        raise InvalidInput(f"a single value is compared with, not {wanted!r}")


def _text(wanted: Any) -> str:
    if not isinstance(wanted, str) or not wanted:
        raise InvalidInput(f"a text is needed, not {wanted!r}")
    return wanted


def _list(wanted: Any) -> list[Any]:
    if not isinstance(wanted, list) or not wanted:
        raise InvalidInput(f"a list of values is needed, not {wanted!r}")
    return wanted


OPERATORS: Final[Mapping[str, Callable[[Any], Test]]] = {
    "eq": _equal,
    "ne": _unequal,
    "in": _among,
    "not_in": _not_among,
    "gt": _compared(operator.gt),
    "gte": _compared(operator.ge),
    "lt": _compared(operator.lt),
    "lte": _compared(operator.le),
    "between": _between,
    "exists": _exists,
    "matches": _matches,
    "contains": _contains,
    "starts_with": _starts_with,
}
"""Every operator by name; each takes what to compare with and gives the test, or raises InvalidInput."""


def operations(condition: Any) -> dict[str, Any]:
    """A condition as operators with what each compares with: `5` is `eq: 5`, `[a, b]` is `in: [a, b]`."""
    if isinstance(condition, dict) and condition:
        return {str(name): wanted for name, wanted in condition.items()}
    return {"in" if isinstance(condition, list) else "eq": condition}


def parse_test(condition: Any, operators: Mapping[str, Callable[[Any], Test]] = OPERATORS) -> Test:
    """What tests a value by a condition; several operators must all hold. Raises InvalidInput."""
    tests = [_operator(name, operators)(wanted) for name, wanted in operations(condition).items()]
    return all_of(tests)


def _operator(name: str, operators: Mapping[str, Callable[[Any], Test]]) -> Callable[[Any], Test]:
    if name not in operators:
        known = NotFound.among("operator", name, operators)
        raise InvalidInput(known.message, hint=known.hint)
    return operators[name]


def all_of(tests: list[Test]) -> Test:
    """A test that holds when all of these do."""
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda value: first(value) and second(value)
    return lambda value: all(test(value) for test in tests)
