"""What a process is told from outside: where the data lies, and which database server to use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from suzani.infra.bus_address import BusAddress
from suzani.kernel import InvalidInput

_URL_SCHEMES = ("postgresql://", "postgres://")
_MOST_DAYS = 36_500
_MOST_EVENTS = 10**12
_SYSTEM_DIR = "/var/lib/suzani"


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration of one process; frozen, and passed down rather than read again.

    `data_dir` is absolute. `database_url` names an outside PostgreSQL (15 or newer); None means the embedded
    one. `system_dir` is where the embedded server is kept when root runs it for a data directory that the
    server's own user cannot reach; `server_user` names that user (None: the first that exists of suzani,
    postgres, nobody). `feed_days`: how long the feed of affected persons keeps what all its readers passed.
    `quarantine_days`: how long events stay in quarantine after they were replayed or dismissed.
    `backlog_events`: with more events waiting to be processed than this, senders are told to come again.
    `bus` is the log of events; `lake` the folder of the lake, None for `lake` in the data directory.
    """

    data_dir: Path
    database_url: str | None = None
    system_dir: Path = Path(_SYSTEM_DIR)
    server_user: str | None = None
    feed_days: int = 30
    quarantine_days: int = 90
    backlog_events: int = 2_000_000
    bus: BusAddress = field(default_factory=BusAddress)
    lake: Path | None = None

    @classmethod
    def from_environment(
        cls, data_dir: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> Settings:
        """Settings from SUZANI_* variables; an explicit `data_dir` wins over SUZANI_DATA.

        Raises InvalidInput when a variable cannot be used as it is.
        """
        env = os.environ if environment is None else environment
        chosen = data_dir if data_dir is not None else _path(env, "SUZANI_DATA")
        lake = _path(env, "SUZANI_LAKE")
        return cls(
            data_dir=_absolute(chosen or Path(platformdirs.user_data_dir("suzani"))),
            database_url=_database_url(env),
            system_dir=_absolute(_path(env, "SUZANI_SYSTEM_DIR") or Path(_SYSTEM_DIR)),
            server_user=env.get("SUZANI_SERVER_USER") or None,
            feed_days=_count(env, "SUZANI_FEED_DAYS", 30, _MOST_DAYS, "days"),
            quarantine_days=_count(env, "SUZANI_QUARANTINE_DAYS", 90, _MOST_DAYS, "days"),
            backlog_events=_count(env, "SUZANI_BACKLOG_EVENTS", 2_000_000, _MOST_EVENTS, "events"),
            bus=BusAddress.parse(env.get("SUZANI_BUS", "").strip() or "postgres"),
            lake=None if lake is None else _absolute(lake),
        )

    def to_environment(self) -> dict[str, str]:
        """The variables that give another process these same settings."""
        variables = {
            "SUZANI_DATA": str(self.data_dir),
            "SUZANI_DATABASE_URL": self.database_url or "",
            "SUZANI_SYSTEM_DIR": str(self.system_dir),
            "SUZANI_SERVER_USER": self.server_user or "",
            "SUZANI_FEED_DAYS": str(self.feed_days),
            "SUZANI_QUARANTINE_DAYS": str(self.quarantine_days),
            "SUZANI_BACKLOG_EVENTS": str(self.backlog_events),
            "SUZANI_BUS": self.bus.text,
            "SUZANI_LAKE": "" if self.lake is None else str(self.lake),
        }
        return {**os.environ, **variables}

    @property
    def lake_dir(self) -> Path:
        """The folder that holds the lake."""
        return self.lake or self.data_dir / "lake"

    @property
    def is_embedded(self) -> bool:
        """Whether this process runs a PostgreSQL of its own, rather than using an outside one."""
        return self.database_url is None


def _path(env: Mapping[str, str], name: str) -> Path | None:
    value = env.get(name, "").strip()
    return Path(value) if value else None


def _count(env: Mapping[str, str], name: str, default: int, most: int, what: str) -> int:
    value = env.get(name, "").strip() or str(default)
    if not (value.isascii() and value.isdecimal() and 1 <= int(value) <= most):
        raise InvalidInput(f"{name} is {value!r}, not a number of {what} from 1 to {most:,}")
    return int(value)


def _absolute(path: Path) -> Path:
    try:
        return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - resolve() would follow links
    except (RuntimeError, ValueError) as error:
        raise InvalidInput(f"{str(path)!r} is not a usable path: {error}") from error


def _database_url(env: Mapping[str, str]) -> str | None:
    url = env.get("SUZANI_DATABASE_URL", "").strip()
    if not url:
        return None
    if not url.startswith(_URL_SCHEMES):
        raise InvalidInput(
            "SUZANI_DATABASE_URL is not the address of a PostgreSQL server",
            hint="It looks like postgresql://user:password@host:5432/database.",
        )
    return url
