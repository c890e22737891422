"""Following a topic of somebody else's Kafka: its messages become events, each exactly once.

How far each partition is read stands in PostgreSQL, and moves in the transaction that appends the events.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from suzani.events import store
from suzani.events.envelope import TOPIC
from suzani.events.mapping import Mapping
from suzani.events.moments import microseconds_of
from suzani.events.reading import Refused
from suzani.events.records import AT_ONCE, Record, record_of
from suzani.events.shaping import Shaper, as_they_are, events_by
from suzani.events.types import Reason, Violation
from suzani.infra.bus import Bus, Message
from suzani.infra.bus_address import KafkaAddress
from suzani.infra.db import Tx
from suzani.infra.platform import Platform
from suzani.kernel import Conflict, NotFound, Unavailable, now

if TYPE_CHECKING:
    from confluent_kafka import Consumer
    from confluent_kafka import Message as KafkaMessage

_POLL_SECONDS: Final = 0.2
_METADATA_SECONDS: Final = 10.0
_AGAIN_SECONDS: Final = 2.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Following:
    """What is followed: a topic, as events of a source, by a mapping (None: they are events already)."""

    address: KafkaAddress
    topic: str
    source: str
    mapping: Mapping | None = None


async def follow(platform: Platform, bus: Bus, what: Following, *, stop: asyncio.Event) -> None:
    """Take the topic's messages in until told to stop; while Kafka or the database is away, try again.

    A topic not followed before is read from its beginning. Raises NotFound for one that is not there, and
    Conflict when another process follows it.
    """
    while not stop.is_set():
        try:
            await _follow_once(platform, bus, what, stop)
        except Unavailable as error:
            _log.warning("following %s pauses: %s", what.topic, error.message)
            await asyncio.sleep(_AGAIN_SECONDS)


async def _follow_once(platform: Platform, bus: Bus, what: Following, stop: asyncio.Event) -> None:
    from suzani.infra.bus.kafka.client import kafka_errors

    async with platform.db.transaction() as tx:
        places = await store.followed(tx, what.source, what.topic)
    with kafka_errors():
        consumer = await asyncio.to_thread(_opened, what, places)
        with closing(consumer):
            while not stop.is_set():
                found = await asyncio.to_thread(_received, consumer)
                if found:
                    async with platform.db.transaction() as tx:
                        await _take(tx, bus, what, found, places)


def _opened(what: Following, places: dict[int, int]) -> Consumer:
    """A client that reads every partition from where it was left."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    from suzani.infra.bus.kafka.client import client_settings
    from suzani.infra.bus.kafka.reading import READER_SETTINGS

    consumer = Consumer(client_settings(what.address, **READER_SETTINGS))
    known = consumer.list_topics(what.topic, timeout=_METADATA_SECONDS).topics[what.topic].partitions
    if not known:
        consumer.close()
        raise NotFound(
            f"there is no topic {what.topic!r} in this Kafka", hint="Check its name and the address."
        )
    consumer.assign([TopicPartition(what.topic, p, places.get(p, OFFSET_BEGINNING)) for p in known])
    return consumer


def _received(consumer: Consumer) -> list[KafkaMessage]:
    """What has arrived, without the marks of ends. Raises what went wrong."""
    from confluent_kafka import KafkaError

    from suzani.infra.bus.kafka.client import meaning

    found: list[KafkaMessage] = []
    for message in consumer.consume(AT_ONCE, _POLL_SECONDS):
        error = message.error()
        if error is None:
            found.append(message)
        elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - the client's own name for it
            raise meaning(error)
    return found


async def _take(
    tx: Tx, bus: Bus, what: Following, found: Sequence[KafkaMessage], places: dict[int, int]
) -> None:
    """Put messages on the log or into quarantine, and move on, in one transaction."""
    received = now()
    by_partition: dict[int, list[Record]] = defaultdict(list)
    for message in found:
        by_partition[message.partition() or 0].append(_record(message))
    messages: list[Message] = []
    refused: list[Refused] = []
    for partition, records in sorted(by_partition.items()):
        place = blake2b(f"{what.topic}/{partition}".encode(), digest_size=16).digest()
        way = f"{what.topic}/{partition}, offset"
        events = events_by(what.mapping, None, records, is_typed=True) if what.mapping else as_they_are
        taken = Shaper(what.source, what.source, events, way, place).sort(records, microseconds_of(received))
        messages += taken.messages
        refused += taken.refused
        reached = records[-1].row + 1
        if not await store.move_followed(
            tx, what.source, what.topic, partition, places.get(partition), reached
        ):
            raise Conflict(f"another process follows {what.topic}", hint="One is enough; stop the other.")
        places[partition] = reached
    await store.keep(tx, refused, received)
    await bus.append(tx, TOPIC, messages)


def _record(message: KafkaMessage) -> Record:
    value, offset = message.value(), message.offset() or 0
    if not isinstance(value, bytes):
        return Record(offset, b"", fault=Violation(Reason.MALFORMED, "", "the message has no value"))
    return record_of(offset, value)
