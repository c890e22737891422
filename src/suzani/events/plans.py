"""Tracking plans: which events a source is to send, and what becomes of those it is not to send.

A plan is a YAML file, `<data directory>/plans/<source>.yaml` (see docs/events.md). A source without one may
send anything; what the catalogue knows has to be as it says in any case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from suzani.events.schemas import Catalogue, Schema
from suzani.events.types import EventType
from suzani.infra.configuration import read_yaml
from suzani.kernel import InvalidInput, NotFound


class Unplanned(StrEnum):
    """What becomes of an event that is not in the plan."""

    ALLOW = "allow"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of one source: its events by name, each with its schema or with none."""

    source: str
    unplanned: Unplanned
    events: Mapping[str, Schema | None]


def plans_folder(data_dir: Path) -> Path:
    """Where the plans lie."""
    return data_dir / "plans"


def load_plans(data_dir: Path | None, catalogue: Catalogue) -> dict[str, Plan]:
    """The plan of every source that has one. Raises InvalidInput naming file and place."""
    folder = plans_folder(data_dir) if data_dir else None
    files = sorted(folder.glob("*.yaml")) if folder is not None and folder.is_dir() else []
    return {path.stem: load_plan(path, catalogue) for path in files}


def load_plan(path: Path, catalogue: Catalogue) -> Plan:
    """The plan in a file. Raises InvalidInput or NotFound."""
    tree = read_yaml(path)
    if not isinstance(tree, dict):
        raise InvalidInput(f"{path}: a plan has `unplanned` and `events`")
    for name in tree:
        if name not in ("unplanned", "events"):
            raise NotFound.among(f"setting in {path}", str(name), ("unplanned", "events"))
    unplanned = str(tree.get("unplanned", Unplanned.ALLOW))
    if unplanned not in list(Unplanned):
        raise NotFound.among(f"`unplanned` in {path}", unplanned, list(Unplanned))
    by_title = {versions[max(versions)].title: versions for versions in catalogue.values()}
    events = {
        name: _schema(path, name, asked, by_title.get(name))
        for name, asked in _events(path, tree.get("events")).items()
    }
    return Plan(path.stem, Unplanned(unplanned), events)


def _events(path: Path, given: Any) -> dict[str, Any]:
    """Names with what is asked of each: a list asks for the newest schemas."""
    if given is None:
        return {}
    if isinstance(given, list) and all(isinstance(name, str) for name in given):
        return dict.fromkeys(given, "newest")
    if isinstance(given, dict) and all(isinstance(name, str) for name in given):
        return given
    raise InvalidInput(
        f"{path}: `events` is a list of names, or names with a version", hint="As in `Card Authorised: 1`."
    )


def _schema(path: Path, name: str, asked: Any, versions: Mapping[int, Schema] | None) -> Schema | None:
    if asked == "none" or (asked in ("newest", None) and versions is None):
        return None
    if versions is None:
        raise InvalidInput(
            f"{path}: {name} has no schema",
            hint="Write `none`, or add one to the schemas of the data directory.",
        )
    if asked in ("newest", None):
        return versions[max(versions)]
    if asked not in versions or isinstance(asked, bool):
        known = [*map(str, versions), "newest", "none"]
        raise NotFound.among(f"version of {name} in {path}", str(asked), known)
    return versions[asked]


TRAITS = (EventType.IDENTIFY, EventType.GROUP)
"""Kinds of calls whose traits are checked; of the others it is the properties."""
