from __future__ import annotations

from pathlib import Path

import pytest

from suzani.kernel import InvalidInput
from suzani.segments import load_rules
from suzani.segments.reading import parse_segments
from suzani.traits import load_plan
from tests.segments.given import PLAN, rules


@pytest.mark.parametrize(
    ("body", "problem", "hint"),
    [
        ("{profile.cty: Tashkent}", "segment asked, profile.cty: unknown name in profile 'cty'", "'city'?"),
        ("{traits.call: 3}", "unknown name in traits 'call'", "'calls'?"),
        ("{segments.othr: true}", "unknown name in segments 'othr'", "'other'?"),
        ("{consent.marketng: granted}", "unknown name in consent 'marketng'", "'marketing'?"),
        ("{prfile.city: a}", "unknown condition 'prfile.city'", "'profile.…'"),
        ("{traits.calls: {gtee: 3}}", "traits.calls: unknown operator 'gtee'", "'gte'?"),
        ("{traits.calls: {gt: [3]}}", "a number or a text is compared with", ""),
        ("{traits.calls: {between: [3, 1]}}", "the lesser number first", ""),
        ("{traits.calls: {in: []}}", "a list of values is needed", ""),
        ("{traits.calls: {exists: 1}}", "`exists` takes true or false", ""),
        ("{profile.birth_date: {age: {exists: true}}}", "a number is compared with", ""),
        ("{profile.birth_date: {before: soon}}", "a date is compared with", ""),
        ("{profile.birth_date: {anniversary_within: -1}}", "takes a number of days", ""),
        ("{segments.other: 1}", "segments.other: takes true or false", ""),
        ("{any: []}", "any: has no conditions", "everyone"),
        ("{}", "must be conditions", "profile.city"),
        ("{all: [{any: [{traits.calls: {matches: '['}}]}]}", "all[0].any[0].traits.calls", ""),
        ("{products: {any: {knd: card}}}", "unknown field of a product 'knd'", "'kind'?"),
        ("{products: {kind: card}}", "takes `any` or `none` with conditions", "count"),
        ("{products: {any: {}, where: {kind: card}}}", "takes `any` or `none`", ""),
        ("{products: {any: {open: 1}}}", "products.open: takes true or false", ""),
    ],
)
def test_what_is_wrong_is_told_with_file_segment_and_place(body: str, problem: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_segments(f"segments: {{asked: {body}, other: {{traits.calls: 3}}}}", PLAN, "bank.yaml")
    assert caught.value.message.startswith("bank.yaml: segment asked")
    assert problem in caught.value.message
    assert hint in caught.value.hint


def test_a_circle_is_refused_and_named() -> None:
    with pytest.raises(InvalidInput, match=r"in a circle: .* → .* → "):
        rules(
            """
            segments:
              a: {any: [segments.b: true]}
              b: {segments.c: false}
              c: {segments.a: true}
            """
        )
    with pytest.raises(InvalidInput, match="a → a"):
        rules("segments: {a: {segments.a: true}}")


def test_a_rule_has_one_digest_whatever_its_title() -> None:
    def digest(text: str) -> bytes:
        return rules(f"segments: {{a: {text}}}").segment("a").digest

    plain = digest("{traits.calls: 3}")
    assert digest("{title: Callers, traits.calls: 3}") == plain
    assert digest("{traits.calls: 4}") != plain


def test_the_data_directory_adds_replaces_and_takes_away(tmp_path: Path) -> None:
    own = """
    segments:
      callers: {traits.calls_30d: {gte: 2}}
      adults: {profile.birth_date: {age: {gte: 21}}}
      big_spenders: null
    """
    (tmp_path / "segments.yaml").write_text(own, "utf-8")
    plan = load_plan()
    shipped, found = load_rules(None, plan), load_rules(tmp_path, plan)
    assert set(found.names) ^ set(shipped.names) == {"callers", "big_spenders"}
    assert found.segment("adults").digest != shipped.segment("adults").digest


def test_taking_away_what_others_build_on_is_refused(tmp_path: Path) -> None:
    (tmp_path / "segments.yaml").write_text("segments: {reachable: null}", "utf-8")
    with pytest.raises(InvalidInput, match=r"loan_offer, segments\.reachable"):
        load_rules(tmp_path, load_plan())
