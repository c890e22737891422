"""The files of the embedded PostgreSQL: where they lie, who owns them, and how they are first made.

    <home>/            0711, ours: nobody else can list it
        data/          the cluster, 0700, the server user's
        run/           its socket, 0700, the server user's (or a short path elsewhere, see `socket_folder`)
        password       0600, ours
        start.lock     held while a server is being started or stopped
        users.lock     held shared by every process that uses the server
        server.log     what the server says

`<home>` is `<data_dir>/postgres`. When root runs Suzani and the server's user cannot reach that place (a data
directory under /root, say), it is a folder under `system_dir`, named in `<data_dir>/postgres.location`.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from suzani.infra.accounts import Account, is_reachable, owner_account, server_account
from suzani.infra.binaries import Binaries
from suzani.infra.failures import program_failure, refused_access
from suzani.infra.settings import Settings
from suzani.kernel import Conflict, Forbidden

ROLE: Final = "suzani"
DATABASE: Final = "suzani"
_POINTER: Final = "postgres.location"
_LONGEST_SOCKET_FOLDER: Final = 80
"""Bytes; the kernel takes 103 to 107 for a socket's whole path, and the file name takes up to 20."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """One embedded PostgreSQL on disk, and the user its server runs as (None: the present user)."""

    home: Path
    account: Account | None

    @property
    def data(self) -> Path:
        """The cluster's own folder (PGDATA)."""
        return self.home / "data"

    @property
    def password_file(self) -> Path:
        """The file with the password of the one role, readable by us only."""
        return self.home / "password"

    @property
    def log(self) -> Path:
        """What the server writes to its standard error."""
        return self.home / "server.log"

    @property
    def exists(self) -> bool:
        """Whether the cluster was made."""
        return (self.data / "PG_VERSION").exists()

    def owned_folder(self, path: Path) -> Path:
        """Make `path` a folder that only the server's user can enter."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)
        return path


def find_cluster(settings: Settings) -> Cluster:
    """Where the cluster of these settings is or would be, and who runs its server; makes nothing.

    A cluster that is there goes on under the user that owns it.
    """
    pointer = settings.data_dir / _POINTER
    try:
        elsewhere = pointer.read_text(encoding="utf-8").strip() if pointer.exists() else ""
        home = Path(elsewhere) if elsewhere else settings.data_dir / "postgres"
        owner = owner_account(home / "data") if (home / "data").exists() else None
    except PermissionError as error:
        raise refused_access(settings.data_dir) from error
    return Cluster(home, owner or server_account(settings.server_user))


def forgotten_clusters(settings: Settings) -> list[Path]:
    """Clusters under `system_dir` whose data directory is gone or has another one now."""
    marks = sorted((settings.system_dir / "clusters").glob("*/belongs-to"))
    return [mark.parent for mark in marks if not _is_remembered(mark)]


def _is_remembered(mark: Path) -> bool:
    pointer = Path(mark.read_text(encoding="utf-8").strip()) / _POINTER
    return pointer.exists() and Path(pointer.read_text(encoding="utf-8").strip()) == mark.parent


def prepare_cluster(settings: Settings) -> Cluster:
    """The cluster's home with its folders made, in a place that the server's user can reach.

    Raises Forbidden without permission on the data directory; OSError (disk full) passes through.
    """
    try:
        _make_data_dir(settings)
        cluster = find_cluster(settings)
        if cluster.account is not None and not cluster.exists:
            cluster = _reachable_home(settings, cluster, cluster.account)
        _make_home(cluster)
    except (PermissionError, NotADirectoryError, FileExistsError) as error:
        raise refused_access(settings.data_dir) from error
    if not os.access(cluster.home, os.W_OK):
        raise refused_access(cluster.home)
    return cluster


def _make_data_dir(settings: Settings) -> None:
    """Make the data directory private; under root, the server's group may walk through it but not list it.

    A folder that is there already keeps its mode.
    """
    if settings.data_dir.is_dir():
        return
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    account = server_account(settings.server_user)
    if account is not None:
        os.chown(settings.data_dir, -1, account.gid)
        settings.data_dir.chmod(0o710)


def _make_home(cluster: Cluster) -> None:
    if not cluster.home.is_dir():
        cluster.home.mkdir(mode=0o711, parents=True)
        cluster.home.chmod(0o700 if cluster.account is None else 0o711)


def _reachable_home(settings: Settings, cluster: Cluster, account: Account) -> Cluster:
    if is_reachable(cluster.data, account) or (settings.data_dir / _POINTER).exists():
        return cluster
    home = settings.system_dir / "clusters" / secrets.token_hex(8)
    home.mkdir(mode=0o711, parents=True)
    if not is_reachable(home / "data", account):
        home.rmdir()
        raise Forbidden(
            f"user {account.name}, who runs the database server for root, can reach neither "
            f"{settings.data_dir} nor {settings.system_dir}",
            hint="Set SUZANI_SYSTEM_DIR to a folder whose parents anyone may enter.",
        )
    (home / "belongs-to").write_text(f"{settings.data_dir}\n", encoding="utf-8")
    write_private(settings.data_dir / _POINTER, f"{home}\n")
    return Cluster(home, account)


def write_private(path: Path, text: str) -> None:
    """Write a file that only we can read, whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def create_if_missing(cluster: Cluster, binaries: Binaries) -> None:
    """Make the cluster unless it is there; a start that was cut short leaves nothing behind.

    The caller holds the start lock. Raises Conflict when the cluster is of another major version.
    """
    if cluster.exists:
        _check_version(cluster, binaries)
        return
    partial = cluster.home / "data.partial"
    shutil.rmtree(partial, ignore_errors=True)
    password = secrets.token_urlsafe(32)
    cluster.owned_folder(partial)
    try:
        _initdb(cluster, binaries, partial, password)
        write_private(cluster.password_file, password)
        partial.rename(cluster.data)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _check_version(cluster: Cluster, binaries: Binaries) -> None:
    found = (cluster.data / "PG_VERSION").read_text(encoding="ascii").strip()
    if found == str(binaries.major):
        return
    newer = found.isdigit() and int(found) > binaries.major
    raise Conflict(
        f"the data in {cluster.data} is of PostgreSQL {found}, and this Suzani carries {binaries.major}",
        hint="Use the newer Suzani that wrote it."
        if newer
        else "Make a backup with the Suzani that wrote it, and restore that into a new data directory.",
    )


def _initdb(cluster: Cluster, binaries: Binaries, folder: Path, password: str) -> None:
    secret = folder.with_name("initial-password")
    write_private(secret, password)
    if cluster.account is not None:
        os.chown(secret, cluster.account.uid, cluster.account.gid)
    command = [binaries.program("initdb"), "--pgdata", str(folder), "--username", ROLE]
    command += ["--pwfile", str(secret), "--auth", "scram-sha-256", "--encoding", "UTF8", "--data-checksums"]
    # Nobody can commit while the server fills a new file of its log with zeros: with 16 MB that takes a tenth
    # of a second or more, with 4 MB a hundredth.
    command += ["--wal-segsize", "4", "--no-instructions", *_locale_options(binaries)]
    try:
        done = subprocess.run(  # noqa: S603 - our own program and arguments, without a shell
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            **({} if cluster.account is None else cluster.account.popen_options()),
        )
    finally:
        secret.unlink(missing_ok=True)
    if done.returncode != 0:
        raise program_failure("the database could not be created", done.stderr or done.stdout)


def _locale_options(binaries: Binaries) -> list[str]:
    """The builtin C.UTF-8 locale where it exists (17 and newer): sorts alike on every machine for ever."""
    if binaries.major >= 17:
        return ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]
    return ["--locale", "C"]


def socket_folder(cluster: Cluster) -> Path:
    """A fresh folder for the server's socket, which only the server's user can enter.

    A socket's path has little room, so a long home gets a short folder elsewhere.
    """
    inside = cluster.home / "run"
    if len(os.fsencode(inside)) <= _LONGEST_SOCKET_FOLDER:
        return cluster.owned_folder(inside)
    base = os.environ.get("XDG_RUNTIME_DIR", "") if cluster.account is None else ""
    fitting = base if 0 < len(os.fsencode(base)) <= 50 and os.access(base, os.W_OK) else "/tmp"  # noqa: S108
    return cluster.owned_folder(Path(tempfile.mkdtemp(prefix="suzani-", dir=fitting)))
