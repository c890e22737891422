from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from suzani.web.markup import Markup, join, tag


def test_text_is_escaped_and_markup_is_not() -> None:
    inner = tag("b", "<i>", class_="a")
    assert inner == '<b class="a">&lt;i&gt;</b>'
    assert tag("p", inner, "&", [1, None, "x"]) == '<p><b class="a">&lt;i&gt;</b>&amp;1x</p>'


def test_attributes_are_escaped_and_may_be_absent() -> None:
    assert (
        tag("a", href='"><script>', hidden=True, title=None, open=False)
        == '<a href="&quot;&gt;&lt;script&gt;" hidden></a>'
    )
    assert tag("br") == "<br>"


@given(st.text())
def test_no_text_opens_a_tag_of_its_own(text: str) -> None:
    made = join(tag("p", text, title=text))
    assert isinstance(made, Markup)
    assert made.count("<") == 2
