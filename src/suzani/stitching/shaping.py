"""Whose identifiers are: from evidence to trees, from trees to persons, from persons to subjects. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from suzani.stitching.forest import Trees, spanning_forest
from suzani.stitching.rules import Rules
from suzani.stitching.types import Name, Verdict

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Held:
    """An identifier and the subject it belongs to so far (0: none, it is new). `person_id`: the person of the
    record that it points to."""

    identifier_id: int
    name: Name
    subject_id: int
    person_id: int | None = None
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """A link by the ids of its identifiers, and whether it held its subject together so far; None: it is
    new."""

    weak: int
    strong: int
    at: int
    message: bytes
    alias: bool
    verdict: Verdict | None = None

    @property
    def pair(self) -> Pair:
        """What tells links apart."""
        return self.weak, self.strong


@dataclass(frozen=True, slots=True)
class Scene:
    """All identifiers of some subjects, what holds them together, and new evidence.

    `edges` are the links that joined so far, the new ones, and those between anchors; what was taken back is
    not among them. `persons`: the person, or None, of each of the subjects, and of those of persons that
    records named here lead to. `beyond` has anchors of other subjects that these are linked to. `counts`:
    how many links to identifiers of a kind a stronger one has so far. `former`: the subjects that identifiers
    are to go back to, if they can. Those `leaving` let the others have the subject that they shared.
    """

    held: Mapping[int, Held]
    edges: Sequence[Edge]
    persons: Mapping[int, int | None]
    beyond: Mapping[int, Held] = field(default_factory=dict)
    counts: Mapping[tuple[int, str], int] = field(default_factory=dict)
    former: Mapping[int, int] = field(default_factory=dict)
    leaving: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Shape:
    """What follows from a scene: the subject of every identifier, new subjects with their persons, subjects
    without a person that got one, and what became of each link."""

    subject_of: dict[int, int]
    created: dict[int, int | None]
    adopted: dict[int, int]
    verdicts: dict[Pair, Verdict]


def shape(rules: Rules, scene: Scene, new_subjects: Iterator[int]) -> Shape:
    """Give every identifier of a scene its subject. `new_subjects`: ids for those that are needed."""
    order = _order(rules, scene)
    edges = sorted(scene.edges, key=order)
    verdicts = _refused(rules, scene)
    usable = [edge for edge in edges if edge.pair not in verdicts]
    anchors = {
        one.identifier_id
        for one in (*scene.held.values(), *scene.beyond.values())
        if rules.kinds[one.name.kind].anchor
    }
    trees, found = spanning_forest((edge.pair for edge in usable), anchors)
    verdicts |= {edge.pair: verdict for edge, verdict in zip(usable, found, strict=True)}
    groups = _groups(rules, scene, trees, [edge for edge in usable if {*edge.pair} <= anchors])
    return _placed(scene, groups, new_subjects, verdicts)


def _order(rules: Rules, scene: Scene) -> Callable[[Edge], tuple[int, int, bytes, int, Name]]:
    """Links to stronger identifiers first, then earlier ones; nothing that depends on when things arrived."""
    known = {**scene.beyond, **scene.held}

    def key(edge: Edge) -> tuple[int, int, bytes, int, Name]:
        weak, strong = known[edge.weak].name, known[edge.strong].name
        return (
            -rules.kinds[strong.kind].priority,
            edge.at,
            edge.message,
            -rules.kinds[weak.kind].priority,
            weak,
        )

    return key


def _refused(rules: Rules, scene: Scene) -> dict[Pair, Verdict]:
    """Links that count for nothing: those of blocked identifiers, and new ones over a limit."""
    known = {**scene.beyond, **scene.held}
    refused: dict[Pair, Verdict] = {}
    counts = Counter(scene.counts)
    for edge in sorted(scene.edges, key=lambda edge: (edge.at, edge.message)):
        kind = known[edge.weak].name.kind
        if known[edge.weak].blocked or known[edge.strong].blocked:
            refused[edge.pair] = Verdict.SHARED
        elif edge.verdict is None:
            counts[edge.strong, kind] += 1
            if counts[edge.strong, kind] > rules.kinds[kind].limit:
                refused[edge.pair] = Verdict.LIMIT
    return refused


@dataclass(frozen=True, slots=True)
class _Group:
    """Identifiers that share a subject: that of a person, or one without a person."""

    person_id: int | None
    members: list[Held]

    @property
    def ids(self) -> Iterator[int]:
        """The ids of its identifiers."""
        return (one.identifier_id for one in self.members)


def _groups(rules: Rules, scene: Scene, trees: Trees[int], between: Sequence[Edge]) -> list[_Group]:
    """Trees by whose they are, those with the oldest identifiers first."""
    of_tree: dict[int, list[Held]] = {}
    for identifier_id, one in sorted(scene.held.items()):
        of_tree.setdefault(trees.root(identifier_id), []).append(one)
    following = _Following(scene, between)
    groups: dict[tuple[str, int], _Group] = {}
    for root, members in of_tree.items():
        anchored = rules.kinds[scene.held[root].name.kind].anchor
        leader, person = following.of(root) if anchored else (root, _contact(rules, members))
        key = ("person", person) if person is not None else ("tree", leader)
        groups.setdefault(key, _Group(person, [])).members.extend(members)
    return sorted(groups.values(), key=lambda group: not scene.leaving.isdisjoint(group.ids))


def _contact(rules: Rules, members: Iterable[Held]) -> int | None:
    """The person that the strongest contact of a tree without an anchor leads to."""
    leading = [one for one in members if one.person_id is not None and not one.blocked]
    best = min(leading, key=lambda one: (-rules.kinds[one.name.kind].priority, one.name), default=None)
    return best.person_id if best else None


class _Following:
    """Whom an anchor stands for: the person of its own record; without one, whoever an alias call says it is,
    or who holds the product it was first seen with."""

    def __init__(self, scene: Scene, between: Sequence[Edge]) -> None:
        self._known = {**scene.beyond, **scene.held}
        self._outside = {
            one.identifier_id: scene.persons.get(one.subject_id) for one in scene.beyond.values()
        }
        self._aliases: dict[int, int] = {}
        self._products: dict[int, list[int]] = {}
        for edge in sorted(between, key=lambda edge: (edge.at, edge.message)):
            if edge.alias:
                self._aliases.setdefault(edge.weak, edge.strong)
            else:
                self._products.setdefault(edge.strong, []).append(edge.weak)

    def of(self, anchor: int, before: frozenset[int] = frozenset()) -> tuple[int, int | None]:
        """The anchor at the end of the way, and its person."""
        own = self._known[anchor].person_id or self._outside.get(anchor)
        if own is not None:
            return anchor, own
        path = before | {anchor}
        if (same := self._aliases.get(anchor)) is not None:
            return self.of(same, path) if same not in path else (min(path), None)
        held = (self._known[product].person_id for product in self._products.get(anchor, ()))
        return anchor, next((person for person in held if person is not None), None)


def _placed(
    scene: Scene, groups: Sequence[_Group], new_subjects: Iterator[int], verdicts: dict[Pair, Verdict]
) -> Shape:
    """Each group's subject: its person's, else one without a person that its members had."""
    of_person = {person: subject for subject, person in scene.persons.items() if person is not None}
    taken: set[int] = set()
    placed = Shape({}, {}, {}, verdicts)
    for group in groups:
        subject = of_person.get(group.person_id) if group.person_id is not None else None
        if subject is None:
            subject = next((one for one in _had(scene, group) if one not in taken), None)
            if subject is not None and group.person_id is not None:
                placed.adopted[subject] = group.person_id
        if subject is None:
            subject = next(new_subjects)
            placed.created[subject] = group.person_id
        taken.add(subject)
        placed.subject_of.update((one, subject) for one in group.ids)
    return placed


def _had(scene: Scene, group: _Group) -> Iterator[int]:
    """Subjects without a person that a group could go on with: those it is to go back to, then those it has,
    the oldest member's first."""
    former = [scene.former[one] for one in group.ids if one in scene.former]
    for subject in (*former, *(one.subject_id for one in group.members)):
        if subject and scene.persons[subject] is None:
            yield subject
