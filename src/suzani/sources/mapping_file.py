"""Reading a mapping's YAML: every error names file, line and path, what is wrong and what is known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from suzani.kernel import InvalidInput
from suzani.sources.encodings import known_encoding
from suzani.sources.mapping import (
    ENDINGS,
    PRODUCT_FIELDS,
    RECORD_FIELDS,
    Deleted,
    Field,
    Format,
    Mapping,
)
from suzani.sources.types import Mode

FORMATS = (*dict.fromkeys(ENDINGS.values()), "sql")
TOP = (
    "system",
    "title",
    "format",
    "mode",
    "key",
    "previous_key",
    "deleted",
    "as_of",
    "attributes",
    "products",
    "extra",
)
LONG = (
    "column",
    "columns",
    "join",
    "value",
    "values",
    "other",
    "optional",
    "format",
    "timezone",
    "decimal",
    "thousands",
)
LIMIT_BYTES = 1 << 20


class _TextLoader(yaml.SafeLoader):
    """A safe loader that leaves every scalar but null as written: `NO`, `007` and `2024-01-01` are values."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as the base class has it
        first: [entry for entry in entries if entry[0] == "tag:yaml.org,2002:null"]
        for first, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def load_mapping(path: Path) -> Mapping:
    """The mapping in a YAML file. Raises `InvalidInput` naming what is wrong and where."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot read the mapping {path}: {error.strerror}") from error
    if len(data) > LIMIT_BYTES:
        raise InvalidInput(f"{path} is no mapping: it has {len(data):,} bytes")
    try:
        return parse_mapping(data.decode("utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the mapping {path} is not UTF-8 (byte {error.start})") from error


def parse_mapping(text: str, origin: str) -> Mapping:
    """The mapping in a YAML text. Raises `InvalidInput`; `origin` names the text in messages."""
    try:
        node = yaml.compose(text, Loader=_TextLoader)
        tree = yaml.load(text, Loader=_TextLoader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or type(error).__name__
        raise InvalidInput(f"{origin}{where}: not valid YAML: {problem}") from error
    lines: dict[str, int] = {}
    if node is not None:
        twice = _note_lines(node, "", lines)
        if twice:
            raise InvalidInput(f"{origin}, line {lines[twice]}: {twice} is given twice")
    return _Parser(origin, lines).mapping(tree, text)


def _note_lines(node: yaml.Node, path: str, lines: dict[str, int], depth: int = 0) -> str | None:
    """Note the line of every path; the path that is given twice, if one is."""
    lines[path] = node.start_mark.line + 1
    inner: list[tuple[str, yaml.Node, int]] = []
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            inner.append((f"{path}.{name}" if path else name, value, key.start_mark.line + 1))
    elif isinstance(node, yaml.SequenceNode):
        inner = [(f"{path}[{i}]", item, item.start_mark.line + 1) for i, item in enumerate(node.value)]
    for where, child, line in inner if depth < 8 else ():
        if where in lines:
            lines[where] = line
            return where
        twice = _note_lines(child, where, lines, depth + 1)
        lines[where] = line
        if twice:
            return twice
    return None


@dataclass(frozen=True, slots=True)
class _Parser:
    origin: str
    lines: dict[str, int]

    def line(self, path: str) -> int:
        while path not in self.lines and "." in path:
            path = path.rpartition(".")[0]
        return self.lines.get(path, 1)

    def wrong(self, path: str, problem: str, hint: str = "") -> InvalidInput:
        where = f", {path}" if path else ""
        return InvalidInput(f"{self.origin}, line {self.line(path)}{where}: {problem}", hint=hint)

    def unknown(self, path: str, what: str, name: object, known: Iterable[str]) -> InvalidInput:
        names = list(known)
        near = get_close_matches(str(name), names, n=1)
        hint = (f"Did you mean {near[0]!r}? " if near else "") + f"Known: {', '.join(names)}."
        return self.wrong(path, f"unknown {what} {name!r}", hint)

    def mapping(self, tree: object, text: str) -> Mapping:
        top = self.table(tree, "", TOP, "setting")
        for needed in ("system", "key", "attributes"):
            if top.get(needed) in (None, "", [], {}):
                raise self.wrong("", f"`{needed}` is missing", "A mapping needs system, key and attributes.")
        system = self.text(top["system"], "system")
        if not system.replace("_", "").replace("-", "").isalnum():
            raise self.wrong("system", f"{system!r} is not a name", "Use letters, digits, `_` and `-`.")
        return Mapping(
            system=system,
            title=self.title(top.get("title"), system),
            format=self.format(top.get("format")),
            mode=self.mode(top.get("mode")),
            key=Field(columns=self.names(top["key"], "key"), join="/", line=self.line("key")),
            attributes=self.attributes(top["attributes"]),
            products=self.products(top.get("products")),
            extra=self.names(top["extra"], "extra") if top.get("extra") else (),
            previous_key=self.previous_key(top.get("previous_key")),
            deleted=self.deleted(top.get("deleted")),
            as_of=self.field(top["as_of"], "as_of") if top.get("as_of") is not None else None,
            digest=hashlib.blake2b(text.encode(), digest_size=16).hexdigest(),
            origin=self.origin,
            extra_line=self.line("extra"),
        )

    def table(self, value: object, path: str, known: Iterable[str], what: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.wrong(path, f"expected names with values, found {_kind(value)}")
        names = list(known)
        for name in value:
            if name not in names:
                raise self.unknown(f"{path}.{name}" if path else str(name), what, name, names)
        return value

    def text(self, value: object, path: str) -> str:
        if isinstance(value, str) and value.strip():
            return value
        raise self.wrong(path, f"expected a text, found {_kind(value)}")

    def names(self, value: object, path: str) -> tuple[str, ...]:
        items = value if isinstance(value, list) else [value]
        names = tuple(self.text(item, path) for item in items)
        if not names or len(set(names)) < len(names):
            raise self.wrong(path, "a column is named twice" if names else "no column is named")
        return names

    def title(self, value: object, system: str) -> dict[str, str]:
        if value is None:
            return {"en": system.replace("_", " ").capitalize()}
        if isinstance(value, dict):
            return {str(code): self.text(text, f"title.{code}") for code, text in value.items()}
        return {"en": self.text(value, "title")}

    def mode(self, value: object) -> Mode:
        if value is None:
            return Mode.DELTA
        if not isinstance(value, str) or value not in list(Mode):
            raise self.unknown("mode", "mode", value, list(Mode))
        return Mode(value)

    def format(self, value: object) -> Format:
        if value is None:
            return Format()
        if isinstance(value, str):
            value = {"type": value}
        known = ("type", "delimiter", "encoding", "quote", "header", "sheet", "nulls")
        given = {k: v for k, v in self.table(value, "format", known, "setting").items() if v is not None}
        if given.get("type", "csv") not in FORMATS:
            raise self.unknown("format.type", "format", given["type"], FORMATS)
        for name in ("delimiter", "quote"):
            mark = given.get(name)
            if mark is not None and (not isinstance(mark, str) or len(mark) != 1 or mark in "\r\n\0"):
                raise self.wrong(f"format.{name}", f"expected one character, found {mark!r}")
        if given.get("delimiter", ";") == given.get("quote", '"'):
            raise self.wrong("format.delimiter", "the delimiter and the quote are the same character")
        header = self.flag(given.get("header", "true"), "format.header")
        encoding = self.text(given.get("encoding", "utf-8"), "format.encoding")
        if not known_encoding(encoding):
            raise self.wrong("format.encoding", f"unknown encoding {encoding!r}")
        nulls = self.names(given["nulls"], "format.nulls") if given.get("nulls") else ()
        sheet = self.text(given["sheet"], "format.sheet") if "sheet" in given else None
        return Format(**(given | {"encoding": encoding, "header": header, "nulls": nulls, "sheet": sheet}))

    def flag(self, value: object, path: str) -> bool:
        if value not in ("true", "false"):
            raise self.wrong(path, f"expected true or false, found {_kind(value)}")
        return value == "true"

    def attributes(self, value: object) -> dict[str, Field]:
        table = self.table(value, "attributes", RECORD_FIELDS, "attribute")
        return {
            name: self.field(table[name], f"attributes.{name}") for name in RECORD_FIELDS if name in table
        }

    def products(self, value: object) -> tuple[dict[str, Field], ...]:
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self.wrong("products", f"expected a list of groups, found {_kind(value)}")
        return tuple(self.product(group, f"products[{i}]") for i, group in enumerate(value))

    def product(self, value: object, path: str) -> dict[str, Field]:
        table = self.table(value, path, PRODUCT_FIELDS, "product field")
        if "number" not in table:
            raise self.wrong(path, "`number` is missing: it says which product a row has")
        group = {name: self.field(table[name], f"{path}.{name}") for name in PRODUCT_FIELDS if name in table}
        if isinstance(table.get("kind"), str):
            group["kind"] = Field(constant=table["kind"], line=self.line(f"{path}.kind"))
        return group

    def previous_key(self, value: object) -> Field | None:
        if value is None:
            return None
        return Field(columns=self.names(value, "previous_key"), join="/", line=self.line("previous_key"))

    def deleted(self, value: object) -> Deleted | None:
        if value is None:
            return None
        table = self.table(value, "deleted", ("column", "values"), "setting")
        if not isinstance(table.get("values"), list) or "column" not in table:
            raise self.wrong("deleted", "expected {column: NAME, values: [VALUE, ...]}")
        values = frozenset(self.scalar(item, "deleted.values") or "" for item in table["values"])
        return Deleted(self.text(table["column"], "deleted.column"), values, self.line("deleted"))

    def scalar(self, value: object, path: str) -> str | None:
        if value is None or isinstance(value, str):
            return value
        raise self.wrong(path, f"expected one value, found {_kind(value)}")

    def field(self, value: object, path: str) -> Field:
        if not isinstance(value, dict):
            return Field(columns=(self.text(value, path),), line=self.line(path))
        given = self.table(value, path, LONG, "setting")
        sources = [name for name in ("column", "columns", "value") if given.get(name) is not None]
        if len(sources) != 1:
            raise self.wrong(path, "give exactly one of `column`, `columns` and `value`")
        place = sources[0]
        columns = () if place == "value" else self.names(given[place], f"{path}.{place}")
        if place == "column" and len(columns) != 1:
            raise self.wrong(path, "`column` names one column; use `columns` for several")
        return Field(
            columns=columns,
            constant=self.scalar(given["value"], f"{path}.value") if place == "value" else None,
            join=str(given.get("join", " ")),
            values=self.values(given.get("values"), f"{path}.values"),
            lenient="other" in given,
            optional=self.flag(given.get("optional", "false"), f"{path}.optional"),
            formats=self.formats(given.get("format"), f"{path}.format"),
            timezone=self.timezone(given.get("timezone"), f"{path}.timezone"),
            line=self.line(path),
            **self.marks(given, path),
        )

    def values(self, value: object, path: str) -> dict[str, str | None] | None:
        if value is None:
            return None
        if not isinstance(value, dict) or not value:
            raise self.wrong(
                path, f"expected what the system writes with what it means, found {_kind(value)}"
            )
        return {self.scalar(k, path) or "": self.scalar(v, f"{path}.{k}") for k, v in value.items()}

    def formats(self, value: object, path: str) -> tuple[str, ...]:
        from suzani.sources.dates import check_format

        formats = () if value is None else self.names(value, path)
        for name in formats:
            problem = check_format(name)
            if problem:
                raise self.wrong(path, f"{name!r} is no date format: {problem}", "Example: %d.%m.%Y")
        return formats

    def timezone(self, value: object, path: str) -> str:
        name = "UTC" if value is None else self.text(value, path)
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise self.wrong(path, f"unknown time zone {name!r}", "Example: Asia/Tashkent") from error
        return name

    def marks(self, given: dict[str, Any], path: str) -> dict[str, str]:
        decimal, thousands = str(given.get("decimal", ".")), str(given.get("thousands") or "")
        if decimal not in (".", ",") or len(thousands) > 1 or thousands == decimal or thousands.isdigit():
            raise self.wrong(
                path,
                f"decimal {decimal!r} and thousands {thousands!r} do not go together",
                "`decimal` is '.' or ','; `thousands` another single character or nothing.",
            )
        return {"decimal": decimal, "thousands": thousands}


def _kind(value: object) -> str:
    names = {dict: "names with values", list: "a list", type(None): "nothing", str: f"the text {value!r}"}
    return names.get(type(value), f"{value!r}")
