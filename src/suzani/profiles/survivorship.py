"""The configuration that says which value survives: which rules, in which order, for which attribute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from suzani.kernel import ATTRIBUTES, InvalidInput, NotFound
from suzani.profiles.ranking import RULES

FILE_NAME = "survivorship.yaml"


@dataclass(frozen=True, slots=True)
class Choice:
    """How one attribute is chosen; attributes with the same `group` share one ranking of the records."""

    attribute: str
    rules: tuple[str, ...]
    group: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Survivorship:
    """A checked configuration: one choice per attribute, and the systems in order of trust."""

    trusted_sources: tuple[str, ...]
    choices: Mapping[str, Choice]

    def trust(self, system: str) -> int:
        """Rank of a system, 0 the most trusted; systems that are not listed share the last rank."""
        return (
            self.trusted_sources.index(system)
            if system in self.trusted_sources
            else len(self.trusted_sources)
        )


def load_survivorship(data_dir: Path | None = None) -> Survivorship:
    """The shipped rules, with what `<data_dir>/survivorship.yaml` says in their place.

    Raises InvalidInput that names the file and the entry when the configuration is wrong.
    """
    shipped = _parse(files("suzani.profiles").joinpath(FILE_NAME).read_text("utf-8"), FILE_NAME)
    own = data_dir / FILE_NAME if data_dir else None
    if own is None or not own.exists():
        return _survivorship(shipped, FILE_NAME)
    try:
        text = own.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{own} cannot be read: {error}", hint="It must be a YAML file in UTF-8."
        ) from error
    given = _parse(text, str(own))
    _known_keys(given, shipped, str(own))
    nested = {
        key: {**shipped[key], **_mapping(given.get(key) or {}, key, str(own))}
        for key in ("groups", "attributes")
    }
    return _survivorship({**shipped, **given, **nested}, str(own))


def _parse(text: str, where: str) -> dict[str, Any]:
    try:
        document = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise InvalidInput(f"{where} is not valid YAML: {error}") from error
    return _mapping(document, "the document", where)


def _mapping(value: object, what: str, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(f"{where}: {what} must be a mapping, not {type(value).__name__}")
    return value


def _known_keys(given: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for key in given:
        if key not in known:
            raise _in_file(where, NotFound.among("entry", str(key), known))


def _in_file(where: str, error: NotFound) -> InvalidInput:
    return InvalidInput(f"{where}: {error.message}", hint=error.hint)


def _survivorship(document: Mapping[str, Any], where: str) -> Survivorship:
    default = _rules(document["default"], "default", where)
    choices = {name: Choice(name, default) for name in ATTRIBUTES}
    for name, rules in _mapping(document["attributes"], "attributes", where).items():
        attribute = _attribute(name, where)
        choices[attribute] = Choice(attribute, _rules(rules, f"attributes.{name}", where))
    for name, group in _mapping(document["groups"], "groups", where).items():
        choices.update(_group(f"groups.{name}", _mapping(group, f"groups.{name}", where), where))
    return Survivorship(tuple(_texts(document["trusted_sources"], "trusted_sources", where)), choices)


def _group(name: str, group: Mapping[str, Any], where: str) -> dict[str, Choice]:
    _known_keys(group, ("attributes", "rules"), f"{where}: {name}")
    members = tuple(
        _attribute(member, where) for member in _texts(group.get("attributes"), f"{name}.attributes", where)
    )
    rules = _rules(group.get("rules"), f"{name}.rules", where)
    return {member: Choice(member, rules, members) for member in members}


def _attribute(name: object, where: str) -> str:
    if name not in ATTRIBUTES:
        raise _in_file(where, NotFound.among("attribute", str(name), ATTRIBUTES))
    return str(name)


def _rules(value: object, what: str, where: str) -> tuple[str, ...]:
    rules = _texts(value, what, where)
    for rule in rules:
        if rule not in RULES:
            raise _in_file(f"{where}: {what}", NotFound.among("rule", rule, RULES))
    return tuple(rules)


def _texts(value: object, what: str, where: str) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise InvalidInput(f"{where}: {what} must be a list of names, for example [most_recent]")
    if len(set(value)) != len(value):
        raise InvalidInput(f"{where}: {what} names something twice")
    return value
