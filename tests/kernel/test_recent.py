from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from suzani.kernel import Recent

_steps = st.lists(st.tuples(st.sampled_from(["put", "get", "drop"]), st.integers(0, 12)), max_size=80)


@given(_steps, st.integers(2, 8))
def test_what_is_there_is_what_was_put_last_and_never_more_than_the_limit(
    steps: list[tuple[str, int]], limit: int
) -> None:
    recent, last = Recent[int, int](limit), dict[int, int]()
    for number, (step, key) in enumerate(steps):
        if step == "put":
            recent.put(key, number)
            last[key] = number
        elif step == "drop":
            recent.drop(key)
            last.pop(key, None)
        else:
            assert recent.get(key) in (None, last.get(key))
        assert len(recent) <= limit
    recent.clear()
    assert not any(recent.get(key) for key in last)


def test_what_is_used_stays() -> None:
    recent = Recent[int, str](10)
    recent.put(0, "kept")
    for key in range(1, 100):
        recent.put(key, "passing")
        assert recent.get(0) == "kept"
    assert recent.get(1) is None
