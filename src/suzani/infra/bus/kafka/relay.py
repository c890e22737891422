"""Handing on to Kafka what was appended in transactions of PostgreSQL, each message once.

PostgreSQL's own log is the outbox. A batch goes to Kafka in one transaction of Kafka's, together with the
position in the outbox; a relay that was killed in between reads from there what it has handed on already.
A database that was restored is another outbox, whose offsets have been given before to other messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from confluent_kafka import Consumer, Producer, TopicPartition

from suzani.infra.bus.kafka.client import client_settings, kafka_errors
from suzani.infra.bus.kafka.sending import PRODUCER_SETTINGS
from suzani.infra.bus.types import Received
from suzani.infra.bus_address import KafkaAddress
from suzani.infra.db import Tx

NAME: Final = "relay"
_SECONDS: Final = 15.0
_TRANSACTION_MS: Final = 10_000
"""A transaction that takes longer is given up, and done again."""


class Relay:
    """The consumer of one topic of the outbox, which has one partition; it runs in one place at a time.

    `outbox` tells the database from any other that this one was, or will be, restored as.
    """

    def __init__(self, address: KafkaAddress, topic: str, outbox: str) -> None:
        self.name = NAME
        self.topic = topic
        self._address = address
        self._target = address.prefix + topic
        self._outbox = outbox
        self._link: _Link | None = None

    async def handle(self, tx: Tx, batch: Sequence[Received]) -> None:
        """Hand on what Kafka does not have yet."""
        await asyncio.to_thread(self._hand_on, batch)

    async def refuse(self, tx: Tx, message: Received, error: Exception) -> None:
        """Never: what the platform itself appended is held, and the lag shows it, until Kafka takes it."""
        raise error

    def _hand_on(self, batch: Sequence[Received]) -> None:
        with kafka_errors():
            try:
                self._link = self._link or _Link(self._address, self._target, self._outbox)
                self._link.hand_on(batch)
            except Exception:
                self._link = None  # whatever became of it, the next one asks Kafka
                raise


class _Link:
    """A producer that no other of the same name outlives, and the place in the outbox that it has reached."""

    def __init__(self, address: KafkaAddress, target: str, outbox: str) -> None:
        self._target = target
        name = f"{target}.{NAME}"
        group = {"group.id": f"{name}.{outbox}", "enable.auto.commit": False}
        self._group = Consumer(client_settings(address, **group))
        self._producer = Producer(client_settings(address, **_settings(name)))
        self._producer.init_transactions(_SECONDS)
        [place] = self._group.committed([TopicPartition(target, 0)], timeout=_SECONDS)
        self._next = max(0, place.offset)

    def hand_on(self, batch: Sequence[Received]) -> None:
        """Produce the messages that were not, in one transaction with the position after them; blocks."""
        new = [message for message in batch if message.offset >= self._next]
        if not new:
            return
        reached = new[-1].offset + 1
        self._producer.begin_transaction()
        for message in new:
            self._producer.produce(self._target, message.value, message.key)
        self._producer.send_offsets_to_transaction(
            [TopicPartition(self._target, 0, reached)], self._group.consumer_group_metadata(), _SECONDS
        )
        self._producer.commit_transaction(_SECONDS)
        self._next = reached


def _settings(name: str) -> dict[str, Any]:
    timeouts = {"transaction.timeout.ms": _TRANSACTION_MS, "message.timeout.ms": _TRANSACTION_MS}
    return {**PRODUCER_SETTINGS, **timeouts, "transactional.id": name}
