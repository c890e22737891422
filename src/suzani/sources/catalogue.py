"""The mappings that are known: the shipped ones, and those of the data directory."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from suzani.kernel import InvalidInput, NotFound
from suzani.sources.mapping import Mapping
from suzani.sources.mapping_file import load_mapping


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
