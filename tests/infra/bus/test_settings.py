"""What SUZANI_BUS may say, and what is said to one who writes something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from suzani.infra.bus_address import BusAddress, KafkaAddress
from suzani.infra.settings import Settings
from suzani.kernel import InvalidInput


def test_postgresql_is_the_log_unless_something_else_is_said() -> None:
    assert Settings.from_environment(Path("/d"), {}).bus == BusAddress()
    address = BusAddress.parse("postgres?partitions=16&hours=48")
    assert (address.partitions, address.keep_hours, address.kafka) == (16, 48, None)


def test_kafka_has_hosts_and_options() -> None:
    address = BusAddress.parse("kafka://a:9092,b:9093?partitions=12&replicas=3&prefix=bank.")
    assert address.partitions == 12
    assert address.kafka == KafkaAddress(
        "a:9092,b:9093", prefix="bank.", replicas=3, security={"security.protocol": "PLAINTEXT"}
    )


def test_kafka_is_logged_in_to_and_its_certificate_checked() -> None:
    text = "kafka://cdp:p%40ss%2Fword@a:9092?sasl=scram-sha-512&tls=yes&ca=/etc/ca.pem"
    address = BusAddress.parse(text)
    assert address.kafka is not None
    assert address.kafka.security == {
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": "/etc/ca.pem",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "cdp",
        "sasl.password": "p@ss/word",
    }
    assert "p@ss" not in repr(address)
    assert "p%40ss" not in repr(Settings(Path("/d"), bus=address))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rabbit://a:1", "names no log"),
        ("kafka", "names no log"),
        ("postgres://user@host/db", "names no log"),
        ("kafka://", "names no log"),
        ("kafka://a", "hosts with their ports"),
        ("kafka://a:9092,b", "hosts with their ports"),
        ("kafka://a:99999", "hosts with their ports"),
        ("kafka://a:9092/topic", "has a path"),
        ("kafka://a:9092?partitions=0", "partitions=0"),
        ("postgres?hours=soon", "hours=soon"),
        ("kafka://a:9092?tls=maybe", "tls=maybe"),
        ("kafka://a:9092?ca=/x", "without tls"),
        ("kafka://a:9092?sasl=plain", "needs both"),
        ("kafka://u:p@a:9092", "needs both"),
        ("kafka://u:p@a:9092?sasl=gssapi", "sasl=gssapi"),
        ("kafka://a:9092?acks=0", "no option acks"),
        ("postgres?tls=yes", "no option tls"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match="SUZANI_BUS.*" + words) as refused:
        BusAddress.parse(text)
    assert "kafka://host:9092" in refused.value.hint
