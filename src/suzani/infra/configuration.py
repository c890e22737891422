"""Configuration in YAML: what is shipped, what the installation says in its place, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from suzani.kernel import InvalidInput, NotFound


def shipped_and_own(
    package: str, name: str, data_dir: Path | None
) -> tuple[dict[str, Any], dict[str, Any], str]:
    """What a file of the package says, what the one of that name in the data directory says (nothing without
    one), and the name for messages about both. Raises InvalidInput for what the shipped one does not have."""
    text = files(package).joinpath(name).read_text("utf-8")
    shipped = mapping(parse_yaml(text, name), "the document", name)
    own = data_dir / name if data_dir else None
    if own is None or not own.exists():
        return shipped, {}, name
    given = mapping(read_yaml(own) or {}, "the document", str(own))
    known_keys(given, shipped, str(own))
    return shipped, given, str(own)


def read_yaml(path: Path) -> Any:
    """What a file says. Raises InvalidInput that names it when it cannot be read, or is no YAML."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{path} cannot be read: {error}", hint="It must be a YAML file in UTF-8."
        ) from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, where: str) -> Any:
    """What a text says. Raises InvalidInput when it is no YAML."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{where} is not valid YAML: {error}") from error


def mapping(value: object, what: str, where: str) -> dict[str, Any]:
    """The value, which must be a mapping. Raises InvalidInput."""
    if not isinstance(value, dict):
        raise InvalidInput(f"{where}: {what} must be a mapping, not {type(value).__name__}")
    return value


def known_keys(given: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Make sure that there are only known entries. Raises InvalidInput with the likeliest that was meant."""
    for key in given:
        if key not in known:
            raise in_file(where, NotFound.among("entry", str(key), known))


def in_file(where: str, error: NotFound) -> InvalidInput:
    """An error about a file, for a name in it that is not known."""
    return InvalidInput(f"{where}: {error.message}", hint=error.hint)
