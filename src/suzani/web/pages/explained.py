"""Why one person, on the customer page: how it came together, field by field; who else came near. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from suzani.identity import Event, Joined, JoinStep, Neighbour, PairOdds, RecordName, Story, Why
from suzani.web.explanations import (
    GAPS,
    JOINS,
    Names,
    apart_sentence,
    how_summary,
    in_bits,
    is_capped,
    prevented_sentence,
    shared_sentence,
    verdict_sentence,
    why_sentences,
)
from suzani.web.language import Texts
from suzani.web.markup import Content, Markup, join, tag
from suzani.web.pages.lineage import lineage
from suzani.web.pages.parts import card, system_title
from suzani.web.pages.waterfall import waterfall

DOUBTFUL_BITS = 10.0
"""A join with an average or a pair below it is worth a look: one in a thousand such is wrong."""

STEPS_SHOWN = 8
"""Joins shown at once; the rest opens on demand."""

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Explained:
    """What the section shows: the story, the changes of the person, and the two records that the reader asked
    to see side by side."""

    story: Story
    events: Sequence[Event]
    compared: Pair | None


def story_card(texts: Texts, explained: Explained) -> Markup:
    """The whole section."""
    story = explained.story
    single = len(story.how.records) == 1
    return card(
        texts("why.title_single" if single else "why.title"),
        tag("p", how_summary(texts, story.how), class_="summary"),
        _joins(texts, story) if story.how.steps else None,
        _picker(texts, story, explained.compared) if len(story.how.records) > 2 else None,
        _nearest(texts, story),
        lineage(texts, explained.events),
        note=texts("why.note"),
        class_="full why",
    )


def _joins(texts: Texts, story: Story) -> Markup:
    """The steps in order; the one most worth checking stands open."""
    names = Names(texts, story.how.records)
    steps = story.how.steps
    doubtful = min(steps, key=_doubt)
    shown, rest = steps[:STEPS_SHOWN], [step for step in steps[STEPS_SHOWN:] if step is not doubtful]
    last = [doubtful] if doubtful not in shown else []

    def listed(some: Sequence[JoinStep]) -> Markup | None:
        items = [_join(texts, story, step, names, open_=step is doubtful) for step in some]
        return tag("ol", items, class_="joins") if items else None

    more = tag("summary", texts("why.more_steps", len(rest)))
    folded = tag("details", more, listed(rest), class_="more") if rest else None
    return join(tag("h3", texts("why.steps")), listed(shown), folded, listed(last))


def _bits(pair: PairOdds) -> float:
    return float("-inf") if pair.odds_bits is None else pair.odds_bits


def _join(texts: Texts, story: Story, step: JoinStep, names: Names, *, open_: bool) -> Markup:
    reason = (
        tag("span", texts(f"reached.{JOINS[step.because]}"), class_="reason")
        if step.because is not Joined.EVIDENCE
        else None
    )
    head = tag(
        "summary",
        tag("span", step.order, class_="order"),
        tag(
            "span",
            _group(texts, names, step.left),
            _plus(),
            _group(texts, names, step.right),
            class_="groups",
        ),
        reason,
        tag("span", texts("why.check"), class_="reason check") if open_ and _is_doubtful(step) else None,
        _measure(texts, step),
    )
    pairs = [("why.strongest", step.strongest)]
    if step.weakest != step.strongest:
        pairs.append(("why.weakest", step.weakest))
    shown = [
        _pair_block(texts, story, texts(key) if len(pairs) > 1 else "", (pair.record_a, pair.record_b))
        for key, pair in pairs
    ]
    return tag("li", tag("details", head, shown, class_="join", open=open_))


def _doubt(step: JoinStep) -> tuple[bool, float, float]:
    """The weakest join is looked at first; what a steward joined was looked at before."""
    return step.because is Joined.MUST_LINK, step.average_bits, _bits(step.weakest)


def _is_doubtful(step: JoinStep) -> bool:
    return (
        step.because is not Joined.MUST_LINK and min(step.average_bits, _bits(step.weakest)) < DOUBTFUL_BITS
    )


def _measure(texts: Texts, step: JoinStep) -> Markup:
    """How strong a join is: the average of its pairs, or the weakest where none is below the average."""
    if step.strongest == step.weakest:
        return tag("span", tag("b", in_bits(texts, step.weakest.odds_bits)), class_="average")
    key, bits = "why.average", step.average_bits
    if is_capped(step):
        key, bits = "why.weakest", _bits(step.weakest)
    return tag("span", f"{texts(key)} ", tag("b", in_bits(texts, bits)), class_="average")


def _plus() -> Markup:
    return tag("i", "+", aria_hidden="true")


def _group(texts: Texts, names: Names, records: Sequence[int]) -> Markup:
    return tag("span", names.group(records), class_="group")


def _pair_block(texts: Texts, story: Story, title: str, pair: Pair) -> Markup | None:
    """One pair in full; a pair that is not explained here is left to the picker."""
    why = story.waterfalls.get((min(pair), max(pair)))
    return pair_explained(texts, why, title) if why else None


def pair_explained(texts: Texts, why: Why, title: str = "") -> Markup:
    """Waterfall and verdict of two records."""
    if why.odds_bits is None:
        body: Content = tag("p", texts("why.not_stored"), " ", shared_sentence(texts, why), class_="note")
    else:
        body = waterfall(texts, why)
    spoken = " ".join(why_sentences(texts, why)[:-1])
    return tag(
        "div",
        tag("h4", title) if title else None,
        body,
        tag("p", spoken, class_="spoken") if why.odds_bits is not None else None,
        tag("p", verdict_sentence(texts, why), class_="verdict-line"),
        class_="pair",
    )


def _picker(texts: Texts, story: Story, compared: Pair | None) -> Markup:
    """Two lists of records and a button: a plain form, which works without scripts."""
    records = story.how.records
    members = {record.record_id for record in records}
    asked = compared if compared and members.issuperset(compared) else None
    chosen = asked or (records[0].record_id, records[1].record_id)
    why = story.waterfalls.get((min(asked), max(asked))) if asked else None
    lists = [
        _list(texts, name, texts(f"why.{label}"), records, at)
        for name, label, at in (("a", "first", chosen[0]), ("b", "second", chosen[1]))
    ]
    form = tag(
        "form",
        lists,
        tag("button", texts("why.submit"), type="submit"),
        method="get",
        action=f"/customers/{story.how.person_id}#compare",
        class_="picker",
    )
    return tag(
        "div",
        tag("h3", texts("why.compare")),
        form,
        pair_explained(texts, why) if why else None,
        id="compare",
    )


def _list(texts: Texts, name: str, label: str, records: Sequence[RecordName], chosen: int) -> Markup:
    options = [
        tag(
            "option",
            f"{system_title(texts, record.system)} {record.record_id} · {record.key}",
            value=record.record_id,
            selected=record.record_id == chosen,
        )
        for record in records
    ]
    return tag("label", tag("span", label), tag("select", options, name=name))


def _nearest(texts: Texts, story: Story) -> Markup:
    nearest = story.why_not.nearest
    shown = {one.person_id for one in nearest}
    names = Names(texts, story.how.records)
    others = [
        tag("li", prevented_sentence(texts, one, names), class_="note")
        for one in story.how.prevented
        if one.person_id not in shown
    ]
    items = [_neighbour(texts, one, story) for one in nearest]
    body = (
        tag("ol", items, others, class_="joins")
        if items or others
        else tag("p", texts("explain.nobody_near"), class_="note")
    )
    return join(tag("h3", texts("why.nearest")), body)


def _neighbour(texts: Texts, one: Neighbour, story: Story) -> Markup:
    names = Names(texts, (*story.how.records, *one.records))
    reason = None
    if one.decided_by is not None:
        reason = tag("span", texts(f"reached.{GAPS[one.because]}"), class_="reason")
    head = tag(
        "summary",
        tag(
            "span",
            tag("a", texts("customer.person", id=one.person_id), href=f"/customers/{one.person_id}"),
            tag("span", texts("customer.records", len(one.records)), class_="note"),
            class_="groups",
        ),
        reason,
        tag(
            "span",
            f"{texts('why.nearest_pair')} ",
            tag("b", in_bits(texts, one.best.odds_bits)),
            f", {texts('why.average')} ",
            tag("b", in_bits(texts, one.average_bits)),
            class_="average",
        ),
        tag("span", apart_sentence(texts, one, names), class_="apart note"),
    )
    body = pair_explained(texts, one.why) if one.why else None
    return tag("li", tag("details", head, body, class_="join"))
