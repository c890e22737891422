"""The mappings that are known: the shipped ones, and those of the data directory."""

from __future__ import annotations

import time
from importlib import resources
from pathlib import Path
from typing import Final

from suzani.kernel import InvalidInput, NotFound
from suzani.sources.mapping import Mapping
from suzani.sources.mapping_file import load_mapping
from suzani.sources.typed import Reader

_LOOK_SECONDS: Final = 1.0


def known_mappings(data_dir: Path | None) -> dict[str, Path]:
    """The mapping file of every known system by name; own ones win over the shipped."""
    shipped = Path(str(resources.files("suzani.sources") / "mappings"))
    found: dict[str, Path] = {}
    for folder in (shipped, data_dir / "mappings" if data_dir else None):
        if folder is not None and folder.is_dir():
            found |= {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return found


def find_mapping(system: str, data_dir: Path | None) -> Mapping:
    """The mapping of a system. Raises `NotFound` with the known ones, `InvalidInput` if its file is wrong."""
    known = known_mappings(data_dir)
    if system not in known:
        raise NotFound.among("system", system, known)
    mapping = load_mapping(known[system])
    if mapping.system != system:
        raise InvalidInput(
            f"{known[system]} is named for {system!r} but says `system: {mapping.system}`",
            hint="Name the file after the system.",
        )
    return mapping


class Readers:
    """Readers of typed records by system, each made once for as long as its mapping file stays as it is."""

    def __init__(self, data_dir: Path | None) -> None:
        self._data_dir = data_dir
        self._made: dict[str, tuple[Path, int, Reader]] = {}
        self._looked_at = 0.0

    def of(self, system: str) -> Reader:
        """The reader of a system. Raises NotFound with the known systems; looks for changed files at most
        once a second."""
        if time.monotonic() > self._looked_at + _LOOK_SECONDS:
            self._forget_changed()
        found = self._made.get(system)
        if found is None:
            mapping = find_mapping(system, self._data_dir)
            path = Path(mapping.origin)
            found = self._made[system] = (path, _stamp(path), Reader(mapping))
        return found[2]

    def _forget_changed(self) -> None:
        self._looked_at = time.monotonic()
        known = known_mappings(self._data_dir)
        self._made = {
            system: kept
            for system, kept in self._made.items()
            if known.get(system) == kept[0] and _stamp(kept[0]) == kept[1]
        }


def _stamp(path: Path) -> int:
    """When a file was last changed, in nanoseconds; -1 when it is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1
