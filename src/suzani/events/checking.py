"""Whether an event is as its source's plan and the catalogue say; compiled, as each event passes here."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

import jsonschema_rs

from suzani.events.plans import TRAITS, Plan, Unplanned, load_plans, plans_folder
from suzani.events.schemas import Catalogue, Schema, load_catalogue, own_folder
from suzani.events.types import Event, EventType, Reason, Violation
from suzani.kernel import SuzaniError

LOOK_SECONDS: Final = 2.0
"""How often it is looked whether a schema or a plan was changed."""

_MOST_VIOLATIONS: Final = 10
_TRACK: Final = EventType.TRACK
_log = logging.getLogger(__name__)


class Rules:
    """The catalogue and one source's plan, by what an event is."""

    def __init__(self, catalogue: Catalogue, plan: Plan | None) -> None:
        newest = [versions[max(versions)] for versions in catalogue.values()]
        self._by_kind = {schema.type: schema for schema in newest if schema.type is not _TRACK}
        self._by_name: dict[str, Schema | None] = {
            schema.title: schema for schema in newest if schema.type is _TRACK
        }
        self._planned = None if plan is None or plan.unplanned is Unplanned.ALLOW else plan.events
        self._by_name |= plan.events if plan else {}
        self._source = plan.source if plan else ""

    def violations(self, event: Event) -> list[Violation]:
        """What is wrong with an event, the first ten things; nothing is the rule."""
        kind = event.type
        if kind is not _TRACK:
            schema = self._by_kind.get(kind)
        else:
            if self._planned is not None and event.name not in self._planned:
                detail = f"{event.name!r} is not in the plan of {self._source}"
                return [Violation(Reason.UNPLANNED, "event", detail)]
            schema = self._by_name.get(event.name)
        return [] if schema is None else _violations(schema, event)


def _violations(schema: Schema, event: Event) -> list[Violation]:
    """A null property counts as an absent one: it is how clients write what they do not know."""
    part, values = ("traits", event.traits) if event.type in TRAITS else ("properties", event.properties)
    if None in values.values():
        values = {name: value for name, value in values.items() if value is not None}
    try:
        if schema.validator.is_valid(values):
            return []
        errors = islice(schema.validator.iter_errors(values), _MOST_VIOLATIONS)
        return [_violation(schema, part, error) for error in errors]
    except ValueError as error:
        return [Violation(Reason.SCHEMA, part, f"{schema.reference} cannot be applied: {error}")]


def _violation(schema: Schema, part: str, error: jsonschema_rs.ValidationError) -> Violation:
    place = ".".join([part, *map(str, error.instance_path)])
    return Violation(Reason.SCHEMA, place, f"{error.message} ({schema.reference})")


class Checker:
    """The rules of an installation. A changed file counts within seconds; a wrong one changes nothing."""

    def __init__(self, data_dir: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises InvalidInput for a schema or plan that is wrong."""
        self._data_dir = data_dir
        self._clock = clock
        self._looked_at = clock()
        self._stamp = _stamp(data_dir)
        self._anybody, self._rules = _load(data_dir)

    def check(self, event: Event) -> list[Violation]:
        """What is wrong with an event by its source's plan and the catalogue; nothing is the rule."""
        if self._clock() - self._looked_at > LOOK_SECONDS:
            self._look()
        return self._rules.get(event.source, self._anybody).violations(event)

    def _look(self) -> None:
        self._looked_at = self._clock()
        stamp = _stamp(self._data_dir)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._anybody, self._rules = _load(self._data_dir)
        except SuzaniError as error:
            _log.warning("Schemas and plans stay as they were: %s", error.message)


def _load(data_dir: Path | None) -> tuple[Rules, Mapping[str, Rules]]:
    catalogue = load_catalogue(data_dir)
    plans = load_plans(data_dir, catalogue)
    return Rules(catalogue, None), {source: Rules(catalogue, plan) for source, plan in plans.items()}


def _stamp(data_dir: Path | None) -> tuple[Any, ...]:
    """What changes when a schema or a plan is added, changed or removed."""
    if data_dir is None:
        return ()
    files = [*own_folder(data_dir).glob("*/*.json"), *plans_folder(data_dir).glob("*.yaml")]
    found = []
    for path in sorted(files):
        try:
            found.append((str(path), path.stat().st_mtime_ns, path.stat().st_size))
        except OSError:
            continue
    return tuple(found)
