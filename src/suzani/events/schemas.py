"""The catalogue: for each event its JSON Schema (draft 2020-12), by name and version.

The shipped ones lie in `suzani/events/catalogue/<name>/<version>.json`; those in `<data directory>/schemas`
stand beside them, and one of the same name and version takes the place of a shipped one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Final

import jsonschema_rs

from suzani.events.types import EventType
from suzani.kernel import InvalidInput, NotFound

LARGEST_FILE: Final = 1 << 20
"""Bytes of a schema file."""

Catalogue = Mapping[str, "Mapping[int, Schema]"]
"""Schemas by name, then by version."""


@dataclass(frozen=True)
class Schema:
    """What the properties of an event must look like (the traits, for identify and group).

    `title` is the event's name, `type` the kind of call it is for, `channel` where it happens.
    """

    name: str
    version: int
    tree: dict[str, Any]
    origin: str
    title: str = ""
    type: EventType = EventType.TRACK
    channel: str = ""
    description: str = ""
    examples: tuple[Any, ...] = field(default=())

    @property
    def reference(self) -> str:
        """How it is named on the command line: `card_authorised@1`."""
        return f"{self.name}@{self.version}"

    @cached_property
    def validator(self) -> jsonschema_rs.Draft202012Validator:
        """The compiled schema; it looks nothing up elsewhere."""
        return jsonschema_rs.Draft202012Validator(self.tree, validate_formats=True, offline=True)


def shipped_folder() -> Path:
    """Where the schemas lie that come with Suzani."""
    return Path(str(resources.files("suzani.events") / "catalogue"))


def own_folder(data_dir: Path) -> Path:
    """Where an installation keeps its own schemas."""
    return data_dir / "schemas"


def load_catalogue(data_dir: Path | None) -> dict[str, dict[int, Schema]]:
    """Every schema; own ones win over the shipped. Raises InvalidInput naming a file that is wrong."""
    found: dict[str, dict[int, Schema]] = {}
    for folder in (shipped_folder(), own_folder(data_dir) if data_dir else None):
        for path in _files(folder):
            schema = load_schema(path)
            found.setdefault(schema.name, {})[schema.version] = schema
    return {name: dict(sorted(versions.items())) for name, versions in sorted(found.items())}


def _files(folder: Path | None) -> Iterator[Path]:
    if folder is not None and folder.is_dir():
        yield from sorted(folder.glob("*/*.json"))


def load_schema(path: Path) -> Schema:
    """The schema of a file `<name>/<version>.json`. Raises InvalidInput with what is wrong and where."""
    version = path.stem
    if not (version.isascii() and version.isdecimal() and int(version) > 0):
        raise InvalidInput(f"{path}: {version!r} is not a version", hint="Name the file 1.json, 2.json, …")
    tree = _tree(path)
    kind = str(tree.get("x-type", EventType.TRACK))
    if kind not in list(EventType):
        raise NotFound.among(f"x-type in {path}", kind, list(EventType))
    title = tree.get("title")
    if not isinstance(title, str) or not title.strip():
        raise InvalidInput(
            f"{path}: `title` is missing", hint="It is the event's name, as in Card Authorised."
        )
    schema = Schema(
        path.parent.name, int(version), tree, str(path), title.strip(), EventType(kind),
        str(tree.get("x-channel", "")), str(tree.get("description", "")), tuple(tree.get("examples", ())),
    )  # fmt: skip
    _compile(schema)
    return schema


def _tree(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror or error}") from error
    if len(data) > LARGEST_FILE:
        raise InvalidInput(f"{path} is no schema: it has {len(data):,} bytes")
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} is no JSON: {error}") from error
    if not isinstance(tree, dict):
        raise InvalidInput(f"{path} is no schema: a schema is a JSON object")
    return tree


def _compile(schema: Schema) -> None:
    """See that the schema is one, and that its own examples pass. Raises InvalidInput."""
    try:
        validator = schema.validator
    except (jsonschema_rs.ValidationError, ValueError) as error:
        detail = getattr(error, "message", str(error))
        where = "/".join(str(part) for part in getattr(error, "instance_path", ()))
        raise InvalidInput(
            f"{schema.origin}: it is no JSON Schema{f', at {where}' if where else ''}: {detail}"
        ) from error
    for i, example in enumerate(schema.examples):
        wrong = next(iter(validator.iter_errors(example)), None)
        if wrong is not None:
            raise InvalidInput(f"{schema.origin}: examples[{i}] does not pass: {wrong.message}")


def find_schema(catalogue: Catalogue, reference: str) -> Schema:
    """The schema `name` (the newest version), `name@version`, or of an event's name. Raises NotFound."""
    name, _, version = reference.partition("@")
    by_title = {versions[max(versions)].title: known for known, versions in catalogue.items()}
    versions = catalogue.get(by_title.get(name, name))
    if versions is None:
        raise NotFound.among("schema", name, catalogue)
    if not version:
        return versions[max(versions)]
    if not version.isdecimal() or int(version) not in versions:
        raise NotFound.among(f"version of {name}", version, map(str, versions))
    return versions[int(version)]
