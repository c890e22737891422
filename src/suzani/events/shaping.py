"""Records of any origin (rows of files, webhooks, foreign topics) told apart into messages and refused ones.

Pure, but for the time that is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec

from suzani.events.envelope import Origin, encode
from suzani.events.guessing import guess_mapping, is_event
from suzani.events.mapper import Mapper
from suzani.events.mapping import Mapping
from suzani.events.moments import microseconds
from suzani.events.payloads import Head, read_head, text_of
from suzani.events.reading import Refused, Sorted
from suzani.events.records import Record
from suzani.events.types import Malformed, Reason, Violation
from suzani.infra.bus import Message


@dataclass(frozen=True, slots=True)
class Shaper:
    """How the records of one origin become messages.

    `events`: the events of a record as JSON. `way`: the origin, for people. `place`: 16 bytes of the origin;
    with its number in it they are the identity of a record that has none and does not say when it happened.
    """

    source: str
    channel: str
    events: Callable[[Record], Sequence[bytes]]
    way: str
    place: bytes

    def sort(self, records: Iterable[Record], received_at: int) -> Sorted:
        """The messages of records, and what is refused, each with the reason."""
        origin = Origin(self.source, self.channel, received_at)
        found = Sorted([], [])
        for record in records:
            if record.fault is not None:
                found.refused.append(self._refused(origin, record, record.raw, record.fault))
                continue
            for i, raw in enumerate(self.events(record)):
                try:
                    found.messages.append(self._message(origin, record, raw, i))
                except Malformed as error:
                    found.refused.append(self._refused(origin, record, raw, error.violation))
        return found

    def _refused(self, origin: Origin, record: Record, raw: bytes, wrong: Violation) -> Refused:
        return Refused(self.source, origin.head, raw, wrong, f"{self.way} {record.row}")

    def _message(self, origin: Origin, record: Record, raw: bytes, i: int) -> Message:
        head, key = read_head(raw)
        sent = head.timestamp if head.timestamp is not None else head.original_timestamp
        if sent is not None and microseconds(sent) is None:
            detail = f"{str(sent)[:60]!r} is no time that can be read"
            raise Malformed(
                Violation(Reason.MALFORMED, "timestamp", detail), "Give its format in the mapping."
            )
        return Message(key, encode(origin, raw, self._id(head, sent, record, i)))

    def _id(self, head: Head, sent: Any, record: Record, i: int) -> str:
        """An id for an event that has none: by its record's content where that says when, else by place."""
        if text_of(head.message_id):
            return ""
        content = record.raw if sent is not None else b"%s %d" % (self.place, record.row)
        return f"{blake2b(content, digest_size=16).hexdigest()}x{i}"


def as_they_are(record: Record) -> Sequence[bytes]:
    """Records that are events already."""
    return (record.raw,)


def events_by(
    mapping: Mapping | None, event: str | None, first: Sequence[Record], *, is_typed: bool
) -> Callable[[Record], Sequence[bytes]]:
    """How records become events: by the mapping, as they are, or by what the columns of the first suggest.

    Raises InvalidInput where nothing tells what happened.
    """
    known = [record.values for record in first if record.values is not None]
    if mapping is None and event is None and known and all(map(is_event, known)):
        return as_they_are
    columns = dict.fromkeys(name for values in known for name in values)
    mapper = Mapper(mapping or guess_mapping(columns, event), is_typed=is_typed)
    return lambda record: [msgspec.json.encode(event) for event in mapper.events(record.values or {})]
