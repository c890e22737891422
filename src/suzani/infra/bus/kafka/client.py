"""How clients of Kafka are set up, and what their errors mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException

from suzani.infra.bus_address import KafkaAddress
from suzani.kernel import Conflict, Forbidden, SuzaniError, Unavailable

_ONLY_DISASTERS: Final = 2
_FORBIDDEN: Final = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    KafkaError.SASL_AUTHENTICATION_FAILED,
)


def client_settings(address: KafkaAddress, **more: Any) -> dict[str, Any]:
    """What every client is told, in librdkafka's words; what goes wrong is raised, so nothing is logged."""
    return {
        "bootstrap.servers": address.hosts,
        "client.id": "suzani",
        "log_level": _ONLY_DISASTERS,
        "reconnect.backoff.max.ms": 1_000,
        **address.security,
        **more,
    }


@contextmanager
def kafka_errors() -> Iterator[None]:
    """Turn errors of Kafka inside the block into those of the domain."""
    try:
        yield
    except KafkaException as error:
        raise meaning(error.args[0]) from error


def meaning(error: KafkaError) -> SuzaniError:
    """What an error of Kafka amounts to."""
    if error.code() in _FORBIDDEN:
        return Forbidden(f"Kafka refuses: {error.str()}", hint="Check the login and the rights in Kafka.")
    if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):  # noqa: SLF001
        return Conflict(
            f"messages were dropped in Kafka before they were read: {error.str()}",
            hint="Raise the topic's retention; `suzani bus --forget CONSUMER` goes on with what is left.",
        )
    return Unavailable(f"Kafka does not answer as it should: {error.str()}", hint="Check SUZANI_BUS.")
