"""The configuration that says which value survives: which rules, in which order, for which attribute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suzani.infra.configuration import in_file, known_keys, mapping, shipped_and_own
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
    shipped, given, where = shipped_and_own("suzani.profiles", FILE_NAME, data_dir)
    nested = {
        key: {**shipped[key], **mapping(given.get(key) or {}, key, where)} for key in ("groups", "attributes")
    }
    return _survivorship({**shipped, **given, **nested}, where)


def _survivorship(document: Mapping[str, Any], where: str) -> Survivorship:
    default = _rules(document["default"], "default", where)
    choices = {name: Choice(name, default) for name in ATTRIBUTES}
    for name, rules in mapping(document["attributes"], "attributes", where).items():
        attribute = _attribute(name, where)
        choices[attribute] = Choice(attribute, _rules(rules, f"attributes.{name}", where))
    for name, group in mapping(document["groups"], "groups", where).items():
        choices.update(_group(f"groups.{name}", mapping(group, f"groups.{name}", where), where))
    return Survivorship(tuple(_texts(document["trusted_sources"], "trusted_sources", where)), choices)


def _group(name: str, group: Mapping[str, Any], where: str) -> dict[str, Choice]:
    known_keys(group, ("attributes", "rules"), f"{where}: {name}")
    members = tuple(
        _attribute(member, where) for member in _texts(group.get("attributes"), f"{name}.attributes", where)
    )
    rules = _rules(group.get("rules"), f"{name}.rules", where)
    return {member: Choice(member, rules, members) for member in members}


def _attribute(name: object, where: str) -> str:
    if name not in ATTRIBUTES:
        raise in_file(where, NotFound.among("attribute", str(name), ATTRIBUTES))
    return str(name)


def _rules(value: object, what: str, where: str) -> tuple[str, ...]:
    rules = _texts(value, what, where)
    for rule in rules:
        if rule not in RULES:
            raise in_file(f"{where}: {what}", NotFound.among("rule", rule, RULES))
    return tuple(rules)


def _texts(value: object, what: str, where: str) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise InvalidInput(f"{where}: {what} must be a list of names, for example [most_recent]")
    if len(set(value)) != len(value):
        raise InvalidInput(f"{where}: {what} names something twice")
    return value
