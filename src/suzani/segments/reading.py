"""Segments as they are declared: `segments.yaml`, read, checked and put in the order in which they build on
one another."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from suzani.kernel import InvalidInput
from suzani.profiles import PROFILE_FIELDS
from suzani.segments.rules import COMBINED, Condition, Group, InSegment, Node, Products, check, walk
from suzani.segments.types import CONSENT_FIELDS, PRODUCT_FIELDS
from suzani.traits import Calendar, Plan
from suzani.traits.conditions import parse_test
from suzani.traits.declarations import Declarations, Entry, load_declarations, parse_declarations

FILE_NAME: Final = "segments.yaml"
SECTION: Final = "segments"

_PRODUCTS: Final = "products"
_OPEN: Final = "open"
_QUANTITIES: Final = ("any", "none", "count")
_DIGEST_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Segment:
    """One declared segment. `declared`: its rule as declared; `digest` tells one rule from another."""

    name: str
    title: str
    declared: Mapping[str, Any]
    rule: Node
    digest: bytes

    def builds_on(self) -> set[str]:
        """The segments that the rule asks about."""
        return {node.segment for node in walk(self.rule) if isinstance(node, InSegment)}


def load_segments(data_dir: Path | None, plan: Plan) -> list[Segment]:
    """The segments shipped, with those of `<data_dir>/segments.yaml`; a segment comes before those that ask
    about it. Raises InvalidInput, for circles too.
    """
    return _segments(load_declarations("suzani.segments", FILE_NAME, SECTION, (), data_dir), plan, ())


def parse_segments(
    text: str, plan: Plan, where: str = FILE_NAME, known: Iterable[Segment] = ()
) -> list[Segment]:
    """The segments that a text declares together with those known; of one name, that of the text."""
    return _segments(parse_declarations(text, where, SECTION, ()), plan, known)


def _segments(declarations: Declarations, plan: Plan, known: Iterable[Segment]) -> list[Segment]:
    names = {entry.name for entry in declarations.entries}
    kept = [segment for segment in known if segment.name not in names]
    places = _Places(plan, names | {segment.name for segment in kept})
    found = [*kept, *(places.segment(entry) for entry in declarations.entries)]
    return _in_order(found, declarations.where)


def _in_order(segments: list[Segment], where: str) -> list[Segment]:
    by_name = {segment.name: segment for segment in segments}
    try:
        order = list(
            TopologicalSorter({name: segment.builds_on() for name, segment in by_name.items()}).static_order()
        )
    except CycleError as error:
        circle = " → ".join(error.args[1])
        raise InvalidInput(
            f"{where}: segments ask about each other in a circle: {circle}",
            hint="Take the condition on `segments.…` out of one of them.",
        ) from error
    return [by_name[name] for name in order]


@dataclass(frozen=True, slots=True)
class _Places:
    """What rules may ask about, and how they are read."""

    plan: Plan
    segments: frozenset[str] | set[str]

    @property
    def calendar(self) -> Calendar:
        return self.plan.calendar

    def segment(self, entry: Entry) -> Segment:
        title = entry.text("title", entry.name.replace("_", " ").capitalize())
        declared = {str(name): wanted for name, wanted in entry.body.items() if name != "title"}
        digest = blake2b(
            json.dumps([self.calendar.zone_name, declared], sort_keys=True, default=str).encode(),
            digest_size=_DIGEST_BYTES,
        ).digest()
        return Segment(entry.name, title, declared, self.rule(entry, "", declared), digest)

    def rule(self, entry: Entry, path: str, declared: Any) -> Node:
        """The rule at a path of an entry: a mapping, all of which must hold, or a list, likewise."""
        if isinstance(declared, list):
            return self.group(entry, path, "all", declared)
        if not isinstance(declared, dict) or not declared:
            raise entry.wrong(
                path, f"must be conditions, not {declared!r}", "For example `profile.city: Tashkent`."
            )
        parts = [self.part(entry, path, str(name), wanted) for name, wanted in declared.items()]
        return parts[0] if len(parts) == 1 else Group("all", tuple(parts))

    def part(self, entry: Entry, path: str, name: str, wanted: Any) -> Node:
        inside = f"{path}.{name}" if path else name
        if name in COMBINED:
            return self.group(entry, inside, name, wanted)
        if name == _PRODUCTS:
            return self.products(entry, inside, wanted)
        section, _, rest = name.partition(".")
        known = self.known()
        if section not in known or not rest:
            places = [*COMBINED, _PRODUCTS, *(f"{place}.…" for place in known)]
            raise entry.unknown(path, "condition", name, places)
        if rest not in known[section]:
            raise entry.unknown(inside, f"name in {section}", rest, known[section])
        if section == "segments":
            return self.in_segment(entry, inside, rest, wanted)
        return Condition(section, rest, entry.checked(inside, lambda c: check(c, self.calendar), wanted))

    def known(self) -> dict[str, Iterable[str]]:
        """The names that there are, by section."""
        return {
            "profile": PROFILE_FIELDS,
            "traits": self.plan.names,
            "consent": CONSENT_FIELDS,
            "segments": self.segments,
        }

    def group(self, entry: Entry, path: str, kind: str, declared: Any) -> Node:
        items = declared if isinstance(declared, list) else [declared]
        if not items:
            raise entry.wrong(path, "has no conditions", "A segment of everyone is refused.")
        return Group(kind, tuple(self.rule(entry, f"{path}[{i}]", item) for i, item in enumerate(items)))

    def in_segment(self, entry: Entry, path: str, name: str, wanted: Any) -> Node:
        if not isinstance(wanted, bool):
            raise entry.wrong(path, f"takes true or false, not {wanted!r}")
        return InSegment(name, wanted)

    def products(self, entry: Entry, path: str, declared: Any) -> Node:
        body = declared if isinstance(declared, dict) else {}
        quantities = [name for name in _QUANTITIES if name in body]
        if len(quantities) != 1 or set(body) - {*quantities, *(["where"] if "count" in body else [])}:
            raise entry.wrong(
                path,
                "takes `any` or `none` with conditions, or `count` with `where`",
                "For example `products: {count: {gte: 2}, where: {kind: card}}`.",
            )
        [quantity] = quantities
        where = body.get("where", {}) if quantity == "count" else body[quantity]
        count = {"any": {"gte": 1}, "none": 0}.get(quantity, body[quantity])
        test = entry.checked(f"{path}.{quantity}", parse_test, count)
        where = self.product_fields(entry, path, where)
        is_open = where.pop(_OPEN, None)
        if is_open is not None and not isinstance(is_open, bool):
            raise entry.wrong(f"{path}.{_OPEN}", f"takes true or false, not {is_open!r}")
        checks = {
            name: entry.checked(f"{path}.{name}", lambda c: check(c, self.calendar), wanted)
            for name, wanted in where.items()
        }
        return Products(declared, checks, is_open, test, self.calendar)

    def product_fields(self, entry: Entry, path: str, where: Any) -> dict[str, Any]:
        if not isinstance(where, dict):
            problem = f"must be conditions on a product, not {where!r}"
            raise entry.wrong(path, problem, "For example `kind: card`.")
        known = (*PRODUCT_FIELDS, _OPEN)
        for name in where:
            if name not in known:
                raise entry.unknown(path, "field of a product", str(name), known)
        return dict(where)
