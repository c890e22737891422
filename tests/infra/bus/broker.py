"""A real Apache Kafka broker of one node (KRaft), which tests start, kill, and start again."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

CLUSTER_ID = "c3V6YW5pLXRlc3RzLTAwMQ"
START_SECONDS = 90
USER, PASSWORD = "cdp", "p@ss/word"
ROOT = Path(__file__).resolve().parents[3]

PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},SECURED://127.0.0.1:{secured}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SECURED://127.0.0.1:{secured}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURED:SASL_SSL
listener.name.secured.sasl.enabled.mechanisms=PLAIN
listener.name.secured.plain.sasl.jaas.config=\
  org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
listener.name.secured.ssl.keystore.type=PEM
listener.name.secured.ssl.keystore.location={folder}/broker.pem
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


def kafka_libraries() -> str:
    """The folder of the broker's libraries, fetched where they are missing."""
    found = subprocess.run(
        ["bash", str(ROOT / "tools/kafka/fetch.sh")], stdout=subprocess.PIPE, text=True, check=True
    )
    return found.stdout.strip()


class Broker:
    """One broker with a folder and ports of its own, which it keeps when it is started again.

    It listens at `address` to anybody, and at `secured` by TLS, shown genuine by `certificate`, to USER.
    """

    def __init__(self, libraries: str, folder: Path) -> None:
        self.folder = folder
        self._libraries = libraries
        port, controller, secured = _free_ports(3)
        self.address, self.secured = f"127.0.0.1:{port}", f"127.0.0.1:{secured}"
        self.certificate = _certificate(folder)
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "server.properties").write_text(
            PROPERTIES.format(
                port=port, controller=controller, secured=secured, folder=folder, user=USER, password=PASSWORD
            )
        )
        with (folder / "format.log").open("wb") as log:
            subprocess.run(
                self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"),
                check=True, stdout=log, stderr=log,
            )  # fmt: skip

    def start(self) -> None:
        """Start it, and return once it answers."""
        with (self.folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(self._java("kafka.Kafka"), stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if _answers(self._port):
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "broker.log").read_text()[-4000:])

    def kill(self) -> None:
        """End it at once, as a power failure would (kill -9)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _java(self, program: str, *arguments: str) -> list[str]:
        options = ["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        log = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        properties = str(self.folder / "server.properties")
        return ["java", *options, log, "-cp", f"{self._libraries}/*", program, *arguments, properties]


def _certificate(folder: Path) -> Path:
    """A new certificate of 127.0.0.1, which vouches for itself; `broker.pem` has its key too."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=broker -addext subjectAltName=IP:127.0.0.1"
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *request.split(), *files], check=True, capture_output=True)
    (folder / "broker.pem").write_text(key.read_text() + certificate.read_text())
    return certificate


def _free_ports(number: int) -> list[int]:
    with ExitStack() as held:
        return [
            held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(number)
        ]


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
