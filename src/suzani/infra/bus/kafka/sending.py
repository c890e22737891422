"""Sending to Kafka: idempotent, acknowledged by all replicas in sync; one producer for a process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from suzani.infra.bus.grouping import MOST_WAITING_BYTES
from suzani.infra.bus.kafka.client import client_settings, kafka_errors, meaning
from suzani.infra.bus.packing import bytes_of
from suzani.infra.bus.types import Message
from suzani.infra.bus_address import KafkaAddress
from suzani.kernel import Busy

_POLL_SECONDS: Final = 0.1
_DELIVERY_MS: Final = 30_000
_MOST_WAITING: Final = 1_000_000
_RETRY_AFTER_SECONDS: Final = 1

PRODUCER_SETTINGS: Final = {
    "acks": "all",
    "enable.idempotence": True,
    "partitioner": "murmur2_random",  # Java's own: what others send with the same key goes the same way
    "compression.type": "zstd",
    "linger.ms": 2,
    "message.timeout.ms": _DELIVERY_MS,
    "message.max.bytes": 2_000_000,
    "queue.buffering.max.messages": _MOST_WAITING,
    "queue.buffering.max.kbytes": 4 * MOST_WAITING_BYTES // 1024,
}


class Sending:
    """A producer, made when it is needed first and after an error that ended it."""

    def __init__(self, address: KafkaAddress) -> None:
        self._settings = client_settings(address, **PRODUCER_SETTINGS)
        self._producer: _Polled | None = None
        self._waiting_bytes = 0

    async def send(self, name: str, messages: Sequence[Message]) -> None:
        """Return once all are acknowledged. Raises Busy when too much waits, Unavailable after 30 seconds."""
        size = bytes_of(messages)
        if self._waiting_bytes and self._waiting_bytes + size > MOST_WAITING_BYTES:
            raise Busy("more is sent than Kafka takes", _RETRY_AFTER_SECONDS)
        self._waiting_bytes += size
        try:
            await self._deliver(name, messages)
        finally:
            self._waiting_bytes -= size

    async def _deliver(self, name: str, messages: Sequence[Message]) -> None:
        if self._producer is None:
            self._producer = _Polled(self._settings)
        delivery = _Delivery(len(messages), asyncio.get_running_loop())
        with kafka_errors():
            for message in messages:
                self._producer.produce(name, message, delivery)
        error = await delivery.done
        if error is None:
            return
        if error.fatal():
            self._producer.stop()
            self._producer = None
        raise meaning(error)

    async def close(self) -> None:
        """Wait until everything is acknowledged or given up."""
        if self._producer is not None:
            await asyncio.to_thread(self._producer.finish)
            self._producer = None


class _Delivery:
    """Counts the acknowledgements of one sending, in the producer's thread."""

    def __init__(self, messages: int, loop: asyncio.AbstractEventLoop) -> None:
        self.done: asyncio.Future[KafkaError | None] = loop.create_future()
        self._loop = loop
        self._left = messages
        self._error: KafkaError | None = None

    def __call__(self, error: KafkaError | None, message: Any) -> None:
        self._left -= 1
        self._error = self._error or error
        if not self._left:
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if not self.done.done():  # its caller was cancelled
            self.done.set_result(self._error)


class _Polled:
    """A producer whose acknowledgements a thread of its own collects."""

    def __init__(self, settings: dict[str, Any]) -> None:
        with kafka_errors():
            self._producer = Producer(settings)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True, name="kafka producer")
        self._thread.start()

    def produce(self, name: str, message: Message, delivery: _Delivery) -> None:
        """Queue a message; a full queue counts as a failed delivery."""
        try:
            self._producer.produce(name, message[1], message[0], on_delivery=delivery)
        except KafkaException as error:
            delivery(error.args[0], None)
        except BufferError:
            delivery(KafkaError(KafkaError._QUEUE_FULL), None)  # noqa: SLF001 - how the client names it

    def stop(self) -> None:
        """Collect nothing more."""
        self._stopped.set()

    def finish(self) -> None:
        """Wait until the queue is empty; blocks."""
        self._producer.flush(_DELIVERY_MS / 1000)
        self._stopped.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._stopped.is_set():
            self._producer.poll(_POLL_SECONDS)
