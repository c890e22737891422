"""Reading declarations in YAML: those shipped, and those of the data directory that add to and replace them.

Every error names file, entry and field, what is wrong there, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import yaml

from suzani.kernel import InvalidInput, NotFound

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """One declared thing: `what` it is with its name, in which file, and its fields."""

    name: str
    what: str
    where: str
    body: Mapping[str, Any]

    def wrong(self, field: str, problem: str, hint: str = "") -> InvalidInput:
        """An error about a field ('' for the entry as a whole)."""
        place = f"{self.what}, {field}" if field else self.what
        return InvalidInput(f"{self.where}: {place}: {problem}", hint=hint)

    def only(self, known: Iterable[str]) -> None:
        """Raises InvalidInput when there is a field that is not among the known ones."""
        names = list(known)
        for field in self.body:
            if field not in names:
                raise self.unknown(str(field), "field", str(field), names)

    def unknown(self, field: str, what: str, name: str, known: Iterable[str]) -> InvalidInput:
        """An error about a name that is not known, with the nearest that is."""
        error = NotFound.among(what, name, known)
        return self.wrong(field, error.message, error.hint)

    def text(self, field: str, default: str | None = None) -> str:
        """The text of a field. Raises InvalidInput when it is none, or missing without a default."""
        value = self.body.get(field, default)
        if not isinstance(value, str) or (not value and default != ""):
            problem = "is missing" if field not in self.body else f"must be a text, not {value!r}"
            raise self.wrong(field, problem)
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        """The texts of a field that holds one or a list of them; none when it is missing."""
        value = self.body.get(field)
        items = value if isinstance(value, list) else [] if value is None else [value]
        if not all(isinstance(item, str) and item for item in items) or value == []:
            raise self.wrong(field, f"must be a text or a list of texts, not {value!r}")
        return tuple(dict.fromkeys(items))

    def mapping(self, field: str) -> Mapping[str, Any]:
        """The fields of a field; none when it is missing."""
        value = self.body.get(field, {})
        if not isinstance(value, dict):
            raise self.wrong(field, f"must be names with values, not {value!r}")
        return {str(key): item for key, item in value.items()}

    def within(self, field: str) -> Entry:
        """A field's own fields as an entry."""
        return Entry(self.name, f"{self.what}, {field}", self.where, self.mapping(field))

    def checked(self, field: str, parse: Callable[[Any], T], value: Any) -> T:
        """What `parse` makes of a value; its InvalidInput then tells of this field, too."""
        try:
            return parse(value)
        except InvalidInput as error:
            raise self.wrong(field, error.message, error.hint) from error


@dataclass(frozen=True, slots=True)
class Declarations:
    """A checked file as a whole: its settings, and its entries with those of the data directory."""

    where: str
    settings: Mapping[str, Any]
    entries: tuple[Entry, ...]


def load_declarations(
    package: str, file_name: str, section: str, settings: Iterable[str], data_dir: Path | None
) -> Declarations:
    """What `file_name` in a package declares, with `<data_dir>/<file_name>` on top.

    An entry of the latter replaces the shipped one of its name, and `null` takes it away; entries stand under
    `section`, beside `settings`. Raises InvalidInput.
    """
    shipped = _document(files(package).joinpath(file_name).read_text("utf-8"), file_name, section, settings)
    own_file = data_dir / file_name if data_dir else None
    if own_file is None or not own_file.exists():
        return _declarations(shipped, section, dict.fromkeys(shipped[section], file_name), file_name)
    where = str(own_file)
    own = _document(_read(own_file), where, section, settings)
    for name, body in own[section].items():
        if body is None and name not in shipped[section]:
            error = NotFound.among("entry", name, shipped[section])
            raise InvalidInput(f"{where}: nothing to take away: {error.message}", hint=error.hint)
    both = {**shipped, **own, section: {**shipped[section], **own[section]}}
    return _declarations(
        both, section, {name: where if name in own[section] else file_name for name in both[section]}, where
    )


def parse_declarations(text: str, where: str, section: str, settings: Iterable[str]) -> Declarations:
    """What one text declares, and nothing else. Raises InvalidInput."""
    document = _document(text, where, section, settings)
    return _declarations(document, section, dict.fromkeys(document[section], where), where)


def _declarations(
    document: Mapping[str, Any], section: str, places: Mapping[str, str], where: str
) -> Declarations:
    what = section.removesuffix("s")
    entries = []
    for name, body in document[section].items():
        if body is None:
            continue
        entry = Entry(name, f"{what} {name}", places[name], body if isinstance(body, dict) else {})
        if not isinstance(body, dict):
            raise entry.wrong("", f"must be fields with values, not {body!r}")
        if not name.replace("_", "a").isalnum() or not name.isascii() or name != name.lower():
            raise entry.wrong("", "is not a name", "Use small letters, digits and `_`.")
        entries.append(entry)
    settings = {key: value for key, value in document.items() if key != section}
    return Declarations(where, settings, tuple(entries))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{path} cannot be read: {error}", hint="It must be a YAML file in UTF-8."
        ) from error


def _document(text: str, where: str, section: str, settings: Iterable[str]) -> dict[str, Any]:
    try:
        document = yaml.load(text, Loader=_Loader) or {}  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{where} is not valid YAML: {error}") from error
    top = Entry("", "the document", where, document if isinstance(document, dict) else {})
    if not isinstance(document, dict):
        raise top.wrong("", f"must have `{section}:` with names under it")
    top.only((section, *settings))
    return {**document, section: dict(top.mapping(section) if document.get(section) else {})}


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses what is declared twice, and to which `no`, `on` and `NO` are texts."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as the base class has it
        first: [entry for entry in entries if entry[0] != "tag:yaml.org,2002:bool" or first in "tTfF"]
        for first, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [key.value for key, _ in node.value]
        twice = next((key for i, (key, _) in enumerate(node.value) if key.value in names[:i]), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(
                None, None, f"{twice.value!r} is declared twice", twice.start_mark
            )
        return super().construct_mapping(node, deep)
