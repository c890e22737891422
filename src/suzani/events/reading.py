"""What a request's body holds: its events as raw bytes, and what it says of all of them.

Pure. Events are not decoded here beyond their heads, and never written anew: their own bytes go to the log.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final
from uuid import uuid4

import msgspec

from suzani.events.envelope import Origin, decode, digest, encode
from suzani.events.payloads import LARGEST_EVENT, Head, read_head, text_of, tolerant
from suzani.events.types import Malformed, Reason, Violation
from suzani.infra.bus import Message
from suzani.kernel import InvalidInput

LARGEST_BATCH: Final = 500 * 1024
"""Bytes of a batch, unpacked."""

_MOST_ENVELOPED: Final = 32 * LARGEST_BATCH
_GZIP_BITS: Final = 31
_NOTHING: Final = (b"", b"null", b"{}")


class TooLarge(InvalidInput):
    """A body, or what is packed in it, that is larger than the limit."""

    status_code = 413


class _Common(msgspec.Struct, rename="camel"):
    write_key: str | None = None
    sent_at: Any = None


class _Batch(_Common, rename="camel"):
    batch: list[msgspec.Raw] | None = None
    context: msgspec.Raw = msgspec.Raw(b"")
    integrations: msgspec.Raw = msgspec.Raw(b"")


@dataclass(frozen=True, slots=True)
class Sent:
    """A body taken apart. `call` is the kind of its only event, and '' for a batch."""

    raws: Sequence[bytes]
    call: str = ""
    write_key: str = ""
    sent_at: Any = None
    context: bytes = b""
    integrations: bytes = b""


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that cannot be taken: `raw` is its sender's own bytes, `head` the envelope up to them, `way`
    how it came (`HTTP`, a file and row, a topic and offset)."""

    source: str
    head: bytes
    raw: bytes
    violation: Violation
    way: str = "HTTP"
    message_id: str = ""

    @property
    def digest(self) -> bytes:
        """16 bytes; the same for the same bytes of the same source."""
        return digest(self.source, self.raw)


@dataclass(slots=True)
class Sorted:
    """The events of a request: those for the log, and those for quarantine."""

    messages: list[Message]
    refused: list[Refused]


def unpacked(body: bytes, limit: int = LARGEST_BATCH) -> bytes:
    """The content of a gzip body. Raises TooLarge before more than `limit` is unpacked, or Malformed."""
    parts: list[bytes] = []
    room = limit + 1
    try:
        while body:
            inflater = zlib.decompressobj(_GZIP_BITS)
            parts.append(inflater.decompress(body, room))
            room -= len(parts[-1])
            if room <= 0:
                raise too_large(limit)
            if not inflater.eof:
                raise _malformed("the gzip body is cut off")
            body = inflater.unused_data
    except zlib.error as error:
        raise _malformed(f"the body is no gzip: {error}") from None
    return b"".join(parts)


def too_large(limit: int) -> TooLarge:
    """The refusal of a body beyond `limit` bytes."""
    return TooLarge(
        f"the body has more than {limit:,} bytes", hint="Send fewer events at once, and smaller ones."
    )


def read_body(body: bytes, call: str = "") -> Sent:
    """A body taken apart: of one event where the route tells its `call`, else of a batch.

    Bytes that are not UTF-8 become �: a batch is not lost for one of them.
    Raises Malformed for what is no JSON object, or no batch.
    """
    try:
        body.decode()
    except UnicodeDecodeError:
        body = body.decode("utf-8", "replace").encode()
    return tolerant(lambda text: _read(text, call), body)


def _read(body: bytes, call: str) -> Sent:
    if call:
        only = _read_common(body)
        return Sent((body,), call, only.write_key or "", only.sent_at)
    found = _read_batch(body)
    if found.batch is None:
        raise _malformed("it is missing", "batch", 'A batch is {"batch": [event, event, ...]}.')
    raws = [bytes(raw) for raw in found.batch]
    context, integrations = _object(found.context, "context"), _object(found.integrations, "integrations")
    shared = len(context) + len(integrations)
    if shared > LARGEST_EVENT or shared * len(raws) > _MOST_ENVELOPED:
        raise TooLarge(
            f"context and integrations have {shared:,} bytes for {len(raws):,} events",
            hint="Send fewer events at once.",
        )
    return Sent(raws, "", found.write_key or "", found.sent_at, context, integrations)


_read_common = msgspec.json.Decoder(_Common).decode
_read_batch = msgspec.json.Decoder(_Batch).decode


def _object(raw: msgspec.Raw, place: str) -> bytes:
    found = bytes(raw)
    if found in _NOTHING:
        return b""
    if not found.startswith(b"{"):
        raise _malformed("it is no object", place)
    return found


def _malformed(detail: str, place: str = "", hint: str = "") -> Malformed:
    return Malformed(Violation(Reason.MALFORMED, place, detail), hint)


def origin_of(sent: Sent, source: str, channel: str, received_at: int) -> Origin:
    """What the request says of all its events."""
    sent_at = None if sent.call else sent.sent_at
    return Origin(source, channel, received_at, sent_at, sent.call, sent.context, sent.integrations)


def sort_out(sent: Sent, origin: Origin) -> Sorted:
    """The events for the log, each with the key that orders it, and the refused with the reason."""
    found = Sorted([], [])
    repeats: Counter[bytes] = Counter()
    for raw in sent.raws:
        try:
            head, key = read_head(raw, origin.call)
        except Malformed as error:
            found.refused.append(Refused(origin.source, origin.head, raw, error.violation))
            continue
        message_id = "" if text_of(head.message_id) else _message_id(head, raw, repeats)
        found.messages.append(Message(key, encode(origin, raw, message_id)))
    return found


def sort_one(sent: Sent, origin: Origin) -> Message:
    """The message of a single event, looked at as a whole. Raises Malformed with all that is to be known."""
    [raw] = sent.raws
    head, key = read_head(raw, origin.call)
    message_id = "" if text_of(head.message_id) else _message_id(head, raw, Counter())
    value = encode(origin, raw, message_id)
    decode(value)
    return Message(key, value)


def _message_id(head: Head, raw: bytes, repeats: Counter[bytes]) -> str:
    """An id for an event that has none: by its content where that says when, so that sent again it is the
    same; the n-th of equal ones in a batch is another event."""
    if head.timestamp is None and head.original_timestamp is None:
        return uuid4().hex
    content = blake2b(raw, digest_size=16)
    repeats[content.digest()] += 1
    return f"{content.hexdigest()}x{repeats[content.digest()]}"
