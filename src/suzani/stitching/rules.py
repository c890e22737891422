"""The configuration that says what identifies: kinds of identifiers, where they stand, what they weigh."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from suzani.events import getter
from suzani.identity.values.contacts import matching_phones, standard_emails, standard_phone
from suzani.infra.configuration import in_file, known_keys, mapping, shipped_and_own
from suzani.kernel import InvalidInput, NotFound

FILE_NAME: Final = "identifiers.yaml"
POINTS: Final = ("key", "product", "contact")

_REMEMBERED: Final = 50_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of identifier; see `identifiers.yaml`. `read`: the standard form of a value as an event has
    it, None for one that identifies nobody."""

    name: str
    priority: int
    paths: tuple[str, ...]
    in_events: Mapping[str, tuple[str, ...]]
    anchor: bool
    points_to: str | None
    systems: tuple[str, ...]
    form: str
    alias: bool
    limit: int
    shared_by: int
    read: Callable[[Any], str | None]


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """Checked rules: the kinds by name, the strongest first."""

    kinds: Mapping[str, Kind]

    @property
    def anchors(self) -> list[str]:
        """The names of the kinds that stand for somebody."""
        return [kind.name for kind in self.kinds.values() if kind.anchor]

    @property
    def aliases(self) -> list[Kind]:
        """The kinds that the previous id of an alias call may be of."""
        return [kind for kind in self.kinds.values() if kind.alias]

    def name(self, kind: str, value: str) -> str:
        """The standard form of a value as people type it. Raises NotFound for an unknown kind, InvalidInput
        for a value that identifies nobody."""
        if kind not in self.kinds:
            raise NotFound.among("kind of identifier", kind, self.kinds)
        form = self.kinds[kind].read(value)
        if form is None:
            raise InvalidInput(f"{value!r} is no {kind} that identifies anybody")
        return form


def load_identifiers(data_dir: Path | None = None) -> Rules:
    """The shipped rules, with what `<data_dir>/identifiers.yaml` says in their place.

    Raises InvalidInput that names the file and the entry when the configuration is wrong.
    """
    shipped, given, where = shipped_and_own("suzani.stitching", FILE_NAME, data_dir)
    kinds = dict(shipped["kinds"])
    for name, entries in mapping(given.get("kinds", {}), "kinds", where).items():
        if entries is None:
            kinds.pop(name, None)
        else:
            kinds[name] = {**kinds.get(name, {}), **mapping(entries, f"kinds.{name}", where)}
    blocked = {**shipped["blocked"], **mapping(given.get("blocked", {}), "blocked", where)}
    return _rules({"kinds": kinds, "blocked": blocked}, where)


def _rules(document: Mapping[str, Any], where: str) -> Rules:
    blocked = mapping(document["blocked"], "blocked", where)
    known_keys(blocked, ("values", "patterns"), f"{where}: blocked")
    is_blocked = _blocking(blocked, where)
    kinds = [
        _kind(str(name), mapping(entries, f"kinds.{name}", where), is_blocked, f"{where}: kinds.{name}")
        for name, entries in document["kinds"].items()
    ]
    strongest_first = sorted(kinds, key=lambda kind: -kind.priority)
    _check_contacts(kinds, where)
    priorities = {kind.priority for kind in kinds}
    if not kinds or len(priorities) < len(kinds):
        raise InvalidInput(f"{where}: there must be kinds, each with a priority of its own")
    return Rules({kind.name: kind for kind in strongest_first})


def _check_contacts(kinds: Iterable[Kind], where: str) -> None:
    for kind in kinds:
        if kind.points_to == "contact" and kind.form not in ("email", "phone"):
            raise InvalidInput(f"{where}: kinds.{kind.name}: a contact has the form email or phone")


_DEFAULTS: Final[Mapping[str, Any]] = {
    "paths": None, "in_events": {}, "priority": None, "anchor": False, "points_to": None, "systems": [],
    "form": "as_is", "alias": False, "limit": 100, "shared_by": 20, "longest": 200,
}  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def _kind(name: str, given: Mapping[str, Any], is_blocked: Callable[[str], bool], where: str) -> Kind:
    known_keys(given, _DEFAULTS, where)
    entries = {**_DEFAULTS, **given}
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"{where}: a kind is named in small letters, digits and _")
    numbers = {
        key: _positive(entries[key], key, where) for key in ("priority", "limit", "shared_by", "longest")
    }
    form = _chosen(entries["form"], _FORMS, "form", where)
    points_to = entries["points_to"]
    return Kind(
        name=name,
        priority=numbers["priority"],
        paths=tuple(_path(path, where) for path in _texts(entries["paths"], "paths", where)),
        in_events=_in_events(entries["in_events"], where),
        anchor=_flag(entries["anchor"], "anchor", where),
        points_to=None if points_to is None else _chosen(points_to, POINTS, "points_to", where),
        systems=tuple(_texts(entries["systems"], "systems", where)),
        form=form,
        alias=_flag(entries["alias"], "alias", where),
        limit=numbers["limit"],
        shared_by=numbers["shared_by"],
        read=_reader(_FORMS[form], is_blocked, numbers["longest"]),
    )


def _in_events(value: object, where: str) -> dict[str, tuple[str, ...]]:
    given = mapping(value, "in_events", where)
    return {
        _path(str(path), where): tuple(_texts(names, f"in_events.{path}", where))
        for path, names in given.items()
    }


def _reader(
    form: Callable[[str], str | None], is_blocked: Callable[[str], bool], longest: int
) -> Callable[[Any], str | None]:
    """Values recur, so that their forms are remembered."""

    @lru_cache(_REMEMBERED)
    def read(text: str) -> str | None:
        if len(text) > longest or _CONTROL.search(text):
            return None
        value = form(text.strip())
        return None if not value or is_blocked(value) else value

    def read_any(value: Any) -> str | None:
        if type(value) is str:
            return read(value)
        return read(str(value)) if type(value) is int else None

    return read_any


def _email(text: str) -> str | None:
    return standard_emails([text])[0] or None


def _phone(text: str) -> str | None:
    return standard_phone(text) if matching_phones([text])[0] else None


_FORMS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "as_is": str,
    "lower": str.lower,
    "email": _email,
    "phone": _phone,
}


def _blocking(blocked: Mapping[str, Any], where: str) -> Callable[[str], bool]:
    values = frozenset(text.casefold() for text in _texts(blocked["values"], "blocked.values", where))
    patterns = _texts(blocked["patterns"], "blocked.patterns", where)
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise InvalidInput(f"{where}: blocked.patterns: {pattern!r} is no pattern: {error}") from error
    compiled = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]

    def is_blocked(value: str) -> bool:
        return value.casefold() in values or any(pattern.fullmatch(value) for pattern in compiled)

    return is_blocked


def _path(path: str, where: str) -> str:
    try:
        getter(path)
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error.message}", hint=error.hint) from error
    return path


def _texts(value: object, what: str, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidInput(f"{where}: {what} must be a list of texts", hint="Put numbers in quotes.")
    return value


def _positive(value: object, what: str, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidInput(f"{where}: {what} must be a whole number from 1 on")
    return value


def _flag(value: object, what: str, where: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(f"{where}: {what} must be true or false")
    return value


def _chosen(value: object, known: Iterable[str], what: str, where: str) -> str:
    if not isinstance(value, str) or value not in known:
        raise in_file(where, NotFound.among(what, str(value), known))
    return value
