"""Checks the documentation: every link to a file leads somewhere, and every command named exists."""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

from typer.main import get_command

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
COMMAND = re.compile(r"(?:^|`|\$ )suzani ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)", re.MULTILINE)
MAKE = re.compile(r"(?:^|`|\$ )make ([a-z][a-z-]*)", re.MULTILINE)


def main() -> int:
    """Print what is wrong, one line each; 1 if anything is."""
    pages = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    problems = [problem for page in pages for problem in check(page)]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def check(page: Path) -> list[str]:
    """What is wrong with one page."""
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(ROOT)
    return [
        *(f"{name}: the link {link} leads nowhere" for link in LINK.findall(text) if is_dead(page, link)),
        *(f"{name}: there is no command `suzani {c}`" for c in COMMAND.findall(text) if not is_command(c)),
        *(f"{name}: there is no `make {t}`" for t in MAKE.findall(text) if not is_target(t)),
    ]


def is_dead(page: Path, link: str) -> bool:
    """Whether a link names a file that is not there; links to the web and within a page are left alone."""
    path = link.split("#")[0]
    return (
        bool(path)
        and "://" not in path
        and not path.startswith("mailto:")
        and not (page.parent / path).exists()
    )


def is_command(words: str) -> bool:
    """Whether the first word is a command, and the second one of its commands if it has any."""
    first, *rest = words.split()
    command = commands().get(first)
    if command is None:
        return False
    below = getattr(command, "commands", None)
    return not below or not rest or rest[0] in below


@cache
def commands() -> dict[str, Any]:
    """The commands of `suzani` by name."""
    from suzani.main import app

    return getattr(get_command(app), "commands", {})


def is_target(name: str) -> bool:
    """Whether the Makefile has the target."""
    return re.search(rf"^{name}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE) is not None


if __name__ == "__main__":
    sys.exit(main())
