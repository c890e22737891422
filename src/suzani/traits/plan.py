"""The plan: every declared trait compiled into what takes events in and what reads values.

A state is a function of the *set* of events it was given, so that the order in which they come, the batches
they come in, and merges make no difference. Times are microseconds since 1970 in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeAlias

from suzani.events import Event, EventType
from suzani.traits.calendar import ALWAYS, FIXED, Calendar, Numbering
from suzani.traits.definitions import Accepts, Declared, accepts, load_traits
from suzani.traits.encoding import Encoding
from suzani.traits.folds import Fold, fold_of, place
from suzani.traits.kinds import KINDS
from suzani.traits.types import (
    NOTHING,
    Cell,
    Cells,
    Filter,
    Measure,
    Numbers,
    Read,
    Reader,
    State,
    Step,
    Value,
)
from suzani.traits.watching import Thresholds, Watch
from suzani.traits.windows import Window

_ALL: Final = 1 << 15

Steps: TypeAlias = Sequence[tuple[int, Step]]
"""What takes an event into cells, with their slots."""

Clocks: TypeAlias = Sequence[tuple[Numbering, Steps]]
"""What events go into, by clock."""

Taking: TypeAlias = tuple[Clocks, Sequence[tuple[Accepts, Clocks]]]
"""What the events of a name go into: all of them, and those that a filter accepts."""


class Plan:
    """Every trait, ready to be computed. Made once; safe to share, as it never changes.

    `names`: the traits in the order they are declared. `cells`: how many summaries of events they share.
    `tick` numbers times by the finest clock: events of one tick fall into the same pieces of all clocks.
    """

    def __init__(self, declared: Declared) -> None:
        self.calendar: Final = declared.calendar
        self.definitions: Final = declared.definitions
        self.names: Final = tuple(trait.name for trait in declared.definitions)
        needed = _Needed(declared.calendar)
        self._readers: Final[dict[str, Reader]] = {
            trait.name: KINDS[trait.kind].build(trait, needed.slot, declared.calendar)
            for trait in declared.definitions
        }
        self._reads: Final = lru_cache(4096)(self._reads_of)
        cells = tuple(needed.slots)
        self.cells: Final = len(cells)
        self._folds: Final = [fold_of(cell) for cell in cells]
        self._encoding: Final = Encoding(cells, needed.depths)
        self._kept: Final = [
            (slot, cell.clock, depth)
            for slot, (cell, depth) in enumerate(zip(cells, needed.depths, strict=True))
            if cell.clock != ALWAYS
        ]
        numberings = [
            (name, self.calendar.clock(name)) for name in {"day", *(clock for _, clock, _ in self._kept)}
        ]
        # Days begin at full quarters of an hour everywhere: nothing changes within a tick.
        clocks = {"15m", *(clock for _, clock, _ in self._kept)} & FIXED.keys()
        self.tick: Final[Numbering] = self.calendar.clock(min(clocks, key=FIXED.__getitem__))
        self._now: Final = lru_cache(8)(lambda as_of: {name: number(as_of) for name, number in numberings})
        self._by_name, self._by_type = _dispatch(cells, self._folds, self.calendar)
        takings = self._by_name | {(kind, ""): taking for kind, taking in self._by_type.items()}
        self._touched: Final = {key: self._touched_by(*taking) for key, taking in takings.items()}
        self._watches: Final = Watch(self._readers, self.calendar, None)

    @property
    def digest(self) -> str:
        """Tells plans apart that keep different things of events."""
        return self._encoding.digest

    def empty(self) -> State:
        """The state of no events."""
        return State([NOTHING] * self.cells)

    def apply(self, state: State, event: Event) -> None:
        """Take one event in, which `state` must not have yet.

        An event dated after it was received counts as of when it was received.
        """
        at, received_at = event.at, event.received_at
        if at > received_at:
            at = received_at
        cells = state.cells
        always, sometimes = self._by_name.get((event.type, event.name)) or self._by_type[event.type]
        _take(always, cells, event, at)
        for accept, clocks in sometimes:
            if accept(event):
                _take(clocks, cells, event, at)

    def touched_by(self, event: Event) -> frozenset[str]:
        """The traits that an event may change, by its type and name."""
        found = self._touched.get((event.type, event.name))
        return self._touched[event.type, ""] if found is None else found

    def merge(self, a: State, b: State) -> State:
        """The state of the events of both, which must have none in common.

        It may share parts with them: neither may take events in afterwards.
        """
        cells = []
        for fold, mine, others in zip(self._folds, a.cells, b.cells, strict=True):
            both = dict(mine)
            for piece, kept in others.items():
                both[piece] = fold.merge(both[piece], kept) if piece in both else kept
            cells.append(both or NOTHING)
        partial = {
            slot: min(known.get(slot, _ALL) for known in (a.partial, b.partial))
            for slot in {*a.partial, *b.partial}
        }
        return State(cells, partial)

    def values(self, state: State, as_of: int, names: frozenset[str] | None = None) -> dict[str, Value]:
        """Every trait's value at a time, or some traits'; None where there is nothing to tell, and if stale.

        Valid for any `as_of` not before the one that the state was last encoded with.
        """
        now, cells = self._now(as_of), state.cells
        values = {name: read(cells, now) for name, read in self._reads(names)}
        if state.partial:
            values.update(dict.fromkeys(values.keys() & self.stale(state)))
        return values

    def next_change(self, state: State, as_of: int) -> int | None:
        """When a value may next change by time alone; None when it never does."""
        return self._watches.next_change(state, self._now(as_of))

    def watch(self, thresholds: Thresholds) -> Watching:
        """`next_change` of some traits alone, by the values of each at which it matters to someone."""
        return Watching(Watch(self._readers, self.calendar, thresholds), self._now, self.tick)

    def encode(self, state: State, as_of: int | None = None) -> bytes:
        """The state as bytes; what no value at `as_of` or later can read is dropped from it first."""
        if as_of is not None and state.trimmed != (tick := self.tick(as_of)):
            self._trim(state, as_of)
            state.trimmed = tick
        return self._encoding.encode(state)

    def _trim(self, state: State, as_of: int) -> None:
        now, cells = self._now(as_of), state.cells
        for slot, clock, depth in self._kept:
            pieces = cells[slot]
            if pieces and min(pieces) < now[clock] - depth:
                least = now[clock] - depth
                cells[slot] = {piece: kept for piece, kept in pieces.items() if piece >= least}

    def decode(self, data: bytes | None) -> State:
        """The state that bytes stand for; of None, that of no events.

        Whatever plan encoded it: what the present one keeps in the same way is taken over, and traits that
        need more are stale. Raises InvalidInput for bytes that are no state.
        """
        return self.empty() if data is None else self._encoding.decode(data)

    def stale(self, state: State) -> tuple[str, ...]:
        """The traits that must be recomputed, as the state was made before they were declared so."""
        return tuple(
            name
            for name, reader in self._readers.items()
            if any(state.partial.get(slot, _ALL) < depth for slot, depth in reader.depths.items())
        )

    def refresh(self, state: State, recomputed: State) -> State:
        """The state with what it lacks taken from one that was recomputed from all the same events."""
        lacking = state.partial
        cells = [
            recomputed.cells[slot] if slot in lacking else pieces for slot, pieces in enumerate(state.cells)
        ]
        return State(cells, {slot: known for slot, known in recomputed.partial.items() if slot in lacking})

    def recompute(self, events: Iterable[Event]) -> State:
        """The state of these events; one that comes twice counts once."""
        state, seen = self.empty(), set[bytes]()
        for event in events:
            if event.message not in seen:
                seen.add(event.message)
                self.apply(state, event)
        return state

    def _reads_of(self, names: frozenset[str] | None) -> list[tuple[str, Read]]:
        wanted = self._readers if names is None else [name for name in self._readers if name in names]
        return [(name, self._readers[name].read) for name in wanted]

    def _touched_by(self, always: Clocks, sometimes: Sequence[tuple[Accepts, Clocks]]) -> frozenset[str]:
        groups = [always, *(clocks for _, clocks in sometimes)]
        slots = {slot for clocks in groups for _, steps in clocks for slot, _ in steps}
        return frozenset(
            name for name, reader in self._readers.items() if not slots.isdisjoint(reader.depths)
        )


class Watching:
    """Tells when time alone may next change one of some traits."""

    def __init__(self, watch: Watch, numbers: Callable[[int], Numbers], tick: Numbering) -> None:
        self._watch, self._numbers, self._tick = watch, numbers, tick
        self._soonest: tuple[int, int | None] | None = None

    def next_change(self, state: State, as_of: int) -> int | None:
        """When a value may next change; None when it never does. Microseconds."""
        return self._watch.next_change(state, self._numbers(as_of))

    def soonest(self, as_of: int) -> int | None:
        """When a value may next change because of an event in the tick of `as_of`."""
        tick = self._tick(as_of)
        if self._soonest is None or self._soonest[0] != tick:
            self._soonest = tick, self._watch.soonest(self._numbers(as_of), as_of)
        return self._soonest[1]


def _take(clocks: Clocks, cells: Cells, event: Event, at: int) -> None:
    for number, steps in clocks:
        piece = number(at)
        for slot, step in steps:
            pieces = cells[slot]
            if pieces is NOTHING:
                pieces = cells[slot] = {}
            step(pieces, piece, event, at)


def load_plan(data_dir: Path | None = None) -> Plan:
    """The plan of the traits shipped, with those of `<data_dir>/traits.yaml`. Raises InvalidInput."""
    return Plan(load_traits(data_dir))


class _Needed:
    """The cells that traits need, each once, and how many pieces back each is read."""

    def __init__(self, calendar: Calendar) -> None:
        self.slots: dict[Cell, int] = {}
        self.depths: list[int] = []
        self._calendar = calendar

    def slot(self, fold: str, measure: Measure, window: Window) -> int:
        zone = "" if window.clock in FIXED or window.clock == ALWAYS else self._calendar.zone_name
        slot = self.slots.setdefault(Cell(fold, measure, window.clock, zone), len(self.slots))
        if slot == len(self.depths):
            self.depths.append(0)
        self.depths[slot] = max(self.depths[slot], window.first)
        return slot


def _dispatch(
    cells: Sequence[Cell], folds: Sequence[Fold], calendar: Calendar
) -> tuple[dict[tuple[EventType, str], Taking], dict[EventType, Taking]]:
    """Where events go: by type and name for the names that filters tell, by type for all other names."""
    steps: dict[Filter, list[tuple[str, int, Step]]] = {}
    for slot, (cell, fold) in enumerate(zip(cells, folds, strict=True)):
        steps.setdefault(cell.measure.filter, []).append((cell.clock, slot, fold.step(place(cell))))
    names = {name for found in steps for name in found.names}
    named = {(kind, name): _taking(steps, calendar, kind, name) for kind in EventType for name in names}
    return named, {kind: _taking(steps, calendar, kind) for kind in EventType}


def _taking(
    steps: Mapping[Filter, Sequence[tuple[str, int, Step]]], calendar: Calendar, kind: str, name: str = ""
) -> Taking:
    """What events of a type and name go into; without a name, those of all names that no filter tells."""
    always: list[tuple[str, int, Step]] = []
    sometimes: list[tuple[Accepts, Clocks]] = []
    for found, taken in steps.items():
        if (not found.types or kind in found.types) and (not found.names or name in found.names):
            if (accept := accepts(found)) is None:
                always += taken
            else:
                sometimes.append((accept, _by_clock(taken, calendar)))
    return _by_clock(always, calendar), sometimes


def _by_clock(taken: Iterable[tuple[str, int, Step]], calendar: Calendar) -> Clocks:
    clocks: dict[str, list[tuple[int, Step]]] = {}
    for clock, slot, step in taken:
        clocks.setdefault(clock, []).append((slot, step))
    return [(calendar.clock(clock), steps) for clock, steps in clocks.items()]
