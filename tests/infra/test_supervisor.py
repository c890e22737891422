"""`suzani up`: one group of processes that starts, survives and stops together."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from suzani.infra.settings import Settings
from suzani.infra.supervisor import HOST, check_port, supervise
from suzani.kernel import InvalidInput, Unavailable

SERVICES = '''
"""Services of a test: one that answers with its pid, and one that only lives."""
import http.server, os, signal, sys, time
from pathlib import Path

class Pid(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(str(os.getpid()).encode())
    def log_message(self, *args):
        pass

def web(settings, port):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    http.server.HTTPServer(("127.0.0.1", port), Pid).serve_forever()

def idle(settings, port):
    (settings.data_dir / "niceness").write_text(str(os.nice(0)))
    (settings.data_dir / "idle.pid").write_text(str(os.getpid()))
    time.sleep(600)

def failing(settings, port):
    sys.exit(3)
'''

MAIN = """
import sys
from pathlib import Path
import services
from suzani.infra.console import handled
from suzani.infra.settings import Settings
from suzani.infra.supervisor import Service, supervise
names = sys.argv[4:]
with handled():
    supervise(Settings(Path(sys.argv[1]), database_url=sys.argv[2]), int(sys.argv[3]),
              {name: Service(getattr(services, name), niceness=3) for name in names},
              when_ready=lambda url: print(url, flush=True))
print("down", flush=True)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def eventually(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


class Group:
    """A running supervisor with the services of this test."""

    def __init__(self, settings: Settings, port: int, *names: str) -> None:
        self.address = f"http://{HOST}:{port}"
        self.idle_file = settings.data_dir / "idle.pid"
        module = settings.data_dir.parent
        (module / "services.py").write_text(SERVICES)
        environment = {**os.environ, "PYTHONPATH": str(module)}
        command = [sys.executable, "-c", MAIN, str(settings.data_dir), str(settings.database_url), str(port)]
        self.process = subprocess.Popen(
            [*command, *names], env=environment, stdout=subprocess.PIPE, text=True
        )

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == self.address
        eventually(self.idle_file.exists)

    def web_pid(self) -> int:
        with urlopen(self.address, timeout=10) as answer:
            return int(answer.read())

    def idle_pid(self) -> int:
        return int(self.idle_file.read_text() or 0)

    def answers(self) -> bool:
        try:
            return self.web_pid() > 0
        except OSError:
            return False


@pytest.fixture
def group(settings: Settings) -> Iterator[Group]:
    settings.data_dir.mkdir(parents=True)
    started = Group(settings, free_port(), "web", "idle")
    try:
        started.wait_until_ready()
        yield started
    finally:
        started.process.kill()
        started.process.communicate()


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_every_service_and_ends_well(group: Group, number: int) -> None:
    pids = [group.web_pid(), group.idle_pid()]
    group.process.send_signal(number)
    out, _ = group.process.communicate(timeout=60)
    assert (group.process.returncode, out.strip()) == (0, "down")
    assert all(map(is_gone, pids))


def test_a_service_gives_way_as_it_was_told(group: Group) -> None:
    niceness = int((group.idle_file.parent / "niceness").read_text())
    assert niceness == min(os.nice(0) + 3, 19)


def test_no_service_outlives_a_killed_supervisor(group: Group) -> None:
    pids = [group.web_pid(), group.idle_pid()]
    group.process.kill()
    eventually(lambda: all(map(is_gone, pids)))


def test_a_killed_service_is_started_again(group: Group) -> None:
    web, idle = group.web_pid(), group.idle_pid()
    os.kill(web, signal.SIGKILL)
    os.kill(idle, signal.SIGKILL)
    eventually(lambda: group.answers() and group.web_pid() != web)
    eventually(lambda: group.idle_pid() not in (0, idle))


def test_a_service_that_keeps_ending_ends_the_group_with_its_name(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True)
    process = Group(settings, free_port(), "failing", "idle").process
    process.communicate(timeout=120)
    assert process.returncode == Unavailable.exit_code


def test_a_port_in_use_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {port} is in use") as caught:
            supervise(Settings(tmp_path / "data"), port, {})
    assert "--port" in caught.value.hint
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(InvalidInput, match="is not a port"):
        check_port(port)


def test_a_free_port_is_taken() -> None:
    check_port(free_port())


COMMAND = "from suzani.infra.cli import app; app()"


def suzani(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        env=settings.to_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_doctor_says_what_there_is_as_json(settings: Settings) -> None:
    done = suzani(settings, "doctor", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert report["server"]["kind"] == "outside"
    assert "password" not in done.stdout.lower()
    assert report["database"]["migrations_pending"] == []
    assert report["database"]["jobs"] == {}
    assert report["problems"] == []


def test_doctor_is_of_use_when_nothing_was_ever_started(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "nothing")
    done = suzani(settings, "doctor", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert report["server"]["state"] == "not created yet"
    assert report["disk_free_bytes"] > 0
    assert not settings.data_dir.exists()
    assert "not created yet" in suzani(settings, "doctor").stdout


def test_doctor_names_a_server_that_does_not_answer(tmp_path: Path) -> None:
    settings = Settings(tmp_path, database_url=f"postgresql://u:secret@{HOST}:{free_port()}/x")
    done = suzani(settings, "doctor", "--json")
    assert done.returncode == 1
    assert "does not answer" in json.loads(done.stdout)["problems"][0]
    assert "secret" not in done.stdout + done.stderr


def test_backup_and_restore_are_commands(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "bank.backup"
    made = suzani(settings, "backup", str(file), "--json")
    assert json.loads(made.stdout)["bytes"] == file.stat().st_size
    restored = suzani(settings, "restore", str(file), "--json")
    assert restored.returncode == 0, restored.stderr
    refused = suzani(settings, "restore", str(tmp_path / "missing"))
    assert refused.returncode == 3
    assert refused.stderr.startswith("Error: there is no file")
    assert refused.stdout == ""


def test_an_interrupted_command_says_so_and_exits_with_130() -> None:
    script = "from suzani.infra.console import handled\nwith handled():\n    raise KeyboardInterrupt"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr.strip() == "Stopped; what was not finished was not kept."
