"""Membership followed event by event, as workers do it: only what an event can change is tried, and nobody is
looked at again before time can have changed something."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from suzani.events import Event
from suzani.segments import Facts, Rules
from suzani.segments.reading import parse_segments
from suzani.traits import State
from suzani.traits.definitions import parse_traits
from suzani.traits.plan import Plan
from tests.segments.given import AS_OF, DAY
from tests.traits.streams import event

PLAN = Plan(
    parse_traits("""
time_zone: Asia/Tashkent
traits:
  paid_24h: {kind: count, events: Paid, window: 24h}
  paid_30d: {kind: count, events: Paid, window: 30d}
  spend_month: {kind: sum, of: properties.amount, events: Paid, window: this month}
  usual: {kind: most_frequent, of: name, window: 24d}
  idle: {kind: days_since}
  since_sent: {kind: days_since, events: Sent}
  streak: {kind: streak, events: Paid}
  trend: {kind: trend, window: 24d}
  last_sent: {kind: last, of: at, events: Sent}
""")
)
RULES = Rules(
    parse_segments(
        """
        segments:
          busy: {traits.paid_24h: {gte: 2}}
          regular: {any: [{traits.paid_30d: {gte: 3}}, {traits.streak: {gte: 2}}]}
          saver: {traits.spend_month: {lt: 100}, segments.idle: false}
          idle: {traits.idle: {gt: 5}}
          sent_lately: {traits.since_sent: {between: [1, 4]}}
          sender: {traits.usual: Sent, none: [segments.busy: true]}
          falling: {traits.trend: {lt: 0}}
          birthday: {profile.birth_date: {anniversary_within: 3}, segments.regular: true}
          waiting: {traits.last_sent: {days_ago: {gte: 7}}}
        """,
        PLAN,
    ),
    PLAN,
)
watch = PLAN.watch(RULES.thresholds)
PROFILE = {"birth_date": date(1990, 12, 1)}

steps = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 3_600_000_000, 9 * 3_600_000_000, DAY, 3 * DAY, 8 * DAY, 30 * DAY]),
        st.integers(0, 3_600_000_000),
        st.sampled_from([0, 0, DAY, 20 * DAY]),
        st.sampled_from(["Paid", "Paid", "Sent", "Other"]),
        st.integers(0, 80),
    ),
    max_size=15,
)


def facts(state: State, as_of: int, traits: frozenset[str] | None = None) -> Facts:
    return Facts(profile=PROFILE, traits=PLAN.values(state, as_of, traits))


class Follower:
    """One customer, kept as a worker keeps them."""

    def __init__(self) -> None:
        self.state = PLAN.empty()
        self.members = RULES.members(facts(self.state, AS_OF), AS_OF)
        self.plan_for(AS_OF, facts(self.state, AS_OF))

    def wait(self, until: int) -> None:
        while self.due is not None and self.due <= until:
            as_of, known = self.due, facts(self.state, self.due)
            self.members = RULES.members(known, as_of)
            self.plan_for(as_of, known)

    def take(self, found: Event, as_of: int) -> None:
        self.wait(as_of)
        PLAN.apply(self.state, found)
        affected = RULES.affected(PLAN.touched_by(found))
        known = facts(self.state, as_of, affected.needed)
        self.members = RULES.update(self.members, known, as_of, affected)
        self.state = PLAN.decode(PLAN.encode(self.state, as_of))
        times = [self.due, watch.next_change(self.state, as_of)]
        if affected.by_day:
            times.append(RULES.next_change(known, as_of))
        self.due = earliest(times)

    def plan_for(self, as_of: int, known: Facts) -> None:
        self.due = earliest([watch.next_change(self.state, as_of), RULES.next_change(known, as_of)])


def earliest(times: list[int | None]) -> int | None:
    return min((time for time in times if time is not None), default=None)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_following_gives_what_looking_at_everything_gives(
    found: list[tuple[int, int, int, str, int]],
) -> None:
    follower, events, now = Follower(), list[Event](), AS_OF
    for number, (pause, more, late, name, amount) in enumerate(found):
        for moment in (now + pause // 2, now + pause):
            follower.wait(moment)
            state = PLAN.recompute(events)
            assert follower.members == RULES.members(facts(state, moment), moment)
        now += pause + more
        events.append(event(number, now - late, received_at=now, name=name, properties={"amount": amount}))
        follower.take(events[-1], now)
        assert follower.members == RULES.members(facts(PLAN.recompute(events), now), now)
