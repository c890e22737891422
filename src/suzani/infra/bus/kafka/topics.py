"""Topics of Kafka: made with the settings that a log needs, and where they begin and end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.cimpl import NewTopic

from suzani.infra.bus.kafka.client import client_settings, kafka_errors
from suzani.infra.bus_address import KafkaAddress

_ASK_SECONDS: Final = 15.0
_LOOK_AGAIN_SECONDS: Final = 60.0
_MOST_BYTES: Final = 2 * 1024 * 1024
_SETTLE_SECONDS: Final = 10.0
_UNSETTLED: Final = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError._NOENT,  # noqa: SLF001 - how the client names it: it knows no leader yet
)
"""What brokers say of partitions that were just made, or whose leader just changed."""

_EARLIEST: Final = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: Final = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class Topics:
    """The platform's topics; names are those in Kafka, with their prefix."""

    def __init__(self, address: KafkaAddress, partitions: int) -> None:
        self._address = address
        self._partitions = partitions
        self._admin = self._fresh()
        self._known: dict[str, tuple[int, float]] = {}

    def _fresh(self) -> AdminClient:
        return AdminClient(client_settings(self._address))

    async def made(self, name: str) -> int:
        """The number of partitions of a topic, which is made if it is not there."""
        partitions, looked_at = self._known.get(name, (0, float("-inf")))
        if time.monotonic() > looked_at + _LOOK_AGAIN_SECONDS:
            with kafka_errors():
                partitions = await self._count(name) or await self._make(name)
            self._known[name] = (partitions, time.monotonic())
        return partitions

    async def _count(self, name: str) -> int:
        admin = self._admin  # kept until it has answered
        asked = admin.describe_topics(TopicCollection([name]), request_timeout=_ASK_SECONDS)
        try:
            return len((await asyncio.wrap_future(asked[name])).partitions)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
        return 0

    async def _make(self, name: str) -> int:
        """Messages stay until the platform drops them, so that no consumer can miss any."""
        replicas = self._address.replicas or -1
        config = {"retention.ms": "-1", "cleanup.policy": "delete", "max.message.bytes": str(_MOST_BYTES)}
        if replicas > 2:
            config["min.insync.replicas"] = str(replicas - 1)
        topic = NewTopic(name, self._partitions, replicas, config=config)
        try:
            admin = self._admin
            made = admin.create_topics([topic], request_timeout=_ASK_SECONDS)
            await asyncio.wrap_future(made[name])
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        return await self._count(name) or self._partitions

    async def starts(self, name: str) -> dict[int, int]:
        """The offset of the first message that is kept, of every partition."""
        return await self._offsets(name, _EARLIEST)

    async def ends(self, name: str) -> dict[int, int]:
        """The offset after the last message that can be read, of every partition."""
        return await self._offsets(name, _LATEST)

    async def since(self, name: str, unix_ms: int) -> dict[int, int]:
        """The offset of the first message not older than a moment, of the partitions that have one."""
        found = await self._offsets(name, OffsetSpec.for_timestamp(unix_ms))
        return {partition: offset for partition, offset in found.items() if offset >= 0}

    async def _offsets(self, name: str, which: OffsetSpec) -> dict[int, int]:
        partitions = range(await self.made(name))
        deadline = time.monotonic() + _SETTLE_SECONDS
        with kafka_errors():
            while True:
                try:
                    return await self._offsets_now(name, partitions, which)
                except KafkaException as error:
                    if error.args[0].code() not in _UNSETTLED or time.monotonic() > deadline:
                        raise
                    self._admin = self._fresh()  # a client remembers for long that a topic was not there
                await asyncio.sleep(0.1)

    async def _offsets_now(self, name: str, partitions: range, which: OffsetSpec) -> dict[int, int]:
        admin = self._admin  # kept until it has answered
        asked = admin.list_offsets(
            {TopicPartition(name, partition): which for partition in partitions},
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=_ASK_SECONDS,
        )
        found: list[Any] = await asyncio.gather(*map(asyncio.wrap_future, asked.values()))
        return {place.partition: result.offset for place, result in zip(asked, found, strict=True)}

    async def drop_before(self, name: str, offsets: Mapping[int, int]) -> None:
        """Drop the messages before these offsets."""
        places = [TopicPartition(name, partition, offset) for partition, offset in offsets.items()]
        with kafka_errors():
            admin = self._admin
            asked = admin.delete_records(places, request_timeout=_ASK_SECONDS)
            await asyncio.gather(*map(asyncio.wrap_future, asked.values()))

    async def names(self) -> list[str]:
        """The topics whose names begin with the prefix."""
        with kafka_errors():
            found = await asyncio.to_thread(self._admin.list_topics, timeout=_ASK_SECONDS)
        return sorted(name for name in found.topics if name.startswith(self._address.prefix))
