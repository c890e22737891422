"""The envelope in which an event lies on the log: what is known of its way in, around its sender's own bytes.

Pure. `encode` joins bytes and reads nothing; `decode` reads both at once and gives the `Event`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final

import msgspec

from suzani.events.moments import happened_at, microseconds
from suzani.events.payloads import Payload, kind_of, text_of, tolerant, without_nul
from suzani.events.types import Event, EventType

TOPIC: Final = "events"
"""Where accepted events are appended."""

MARK: Final = "suzani"
"""The place in `context` where it is told that a timestamp could not be believed, and what it was."""

_ESCAPE, _NUL = b"\\", b"\\u0000"
_IDENTIFY, _TRACK = EventType.IDENTIFY, EventType.TRACK
_VIEWS: Final = (EventType.PAGE, EventType.SCREEN)
_CHANNELS: Final = {"browser": "web", "mobile": "app", "server": ""}
"""What SDKs call the channels; for a server it is that of the source."""

_json = msgspec.json.encode


@dataclass(frozen=True)
class Origin:
    """What a whole request says of its events.

    `received_at`: microseconds since 1970. `sent_at`: the sender's clock at sending, as sent. `call`: the
    kind of event where the route tells it. `context`, `integrations`: JSON objects for every event, or b"".
    """

    source: str
    channel: str
    received_at: int
    sent_at: Any = None
    call: str = ""
    context: bytes = b""
    integrations: bytes = b""

    @cached_property
    def head(self) -> bytes:
        """The envelope up to the event's own bytes."""
        sent_at = microseconds(self.sent_at)
        known: dict[str, Any] = {
            "source": self.source,
            "channel": self.channel,
            "received_at": self.received_at,
            "skew": None if sent_at is None else self.received_at - sent_at,
            "type": self.call,
            "context": msgspec.Raw(self.context) if self.context else None,
            "integrations": msgspec.Raw(self.integrations) if self.integrations else None,
        }
        given = {name: value for name, value in known.items() if value not in (None, "")}
        return _json(given)[:-1] + b',"event":'


class _Envelope(msgspec.Struct, gc=False):
    source: str
    received_at: int
    event: Payload
    channel: str = ""
    skew: int | None = None
    type: str = ""
    context: dict[str, Any] | None = None
    integrations: Any = None
    id: str = ""


_read = msgspec.json.Decoder(_Envelope).decode


def encode(origin: Origin, raw: bytes, message_id: str = "") -> bytes:
    """The envelope around an event's own JSON; `message_id` for one that has none (letters and digits)."""
    return origin.head + raw + tail_of(message_id)


def tail_of(message_id: str) -> bytes:
    """The envelope after the event's own bytes."""
    return b',"id":"%s"}' % message_id.encode() if message_id else b"}"


def decode(value: bytes) -> Event:
    """The event in an envelope. Raises Malformed for anything that is none."""
    envelope = tolerant(_read, value)
    call = envelope.event
    kind = kind_of(envelope.type or call.type, call)
    message_id = text_of(call.message_id) or envelope.id
    sent = call.timestamp if call.timestamp is not None else call.original_timestamp
    at, fault = happened_at(sent, envelope.received_at, _skew(envelope))
    context = {**envelope.context, **(call.context or {})} if envelope.context else call.context or {}
    if fault:
        context = {**context, MARK: {"clock": fault, "timestamp": sent}}
    traits = call.traits or (_object(context.get("traits")) if kind is _IDENTIFY else {})
    parts = call.properties or {}, traits, context, _integrations(envelope)
    if _ESCAPE in value and _NUL in value:
        parts = without_nul(parts[0]), without_nul(traits), without_nul(context), without_nul(parts[3])
    properties, traits, context, integrations = parts
    return Event(
        message=digest(envelope.source, message_id or value),
        message_id=message_id or "",
        source=envelope.source,
        type=kind,
        name=_name(kind, call),
        at=at,
        received_at=envelope.received_at,
        channel=_channel(call, context) or envelope.channel,
        user_id=text_of(call.user_id),
        anonymous_id=text_of(call.anonymous_id),
        previous_id=text_of(call.previous_id),
        group_id=text_of(call.group_id),
        properties=properties,
        traits=traits,
        context=context,
        integrations=integrations,
    )


def digest(source: str, message_id: str | bytes) -> bytes:
    """16 bytes that tell one message of one source from every other."""
    text = message_id.encode() if isinstance(message_id, str) else message_id
    return blake2b(b"%s\0%s" % (source.encode(), text), digest_size=16).digest()


def _skew(envelope: _Envelope) -> int | None:
    """What the sender's clock is behind, in microseconds: by the batch, or by the event's own `sentAt`."""
    if envelope.skew is not None:
        return envelope.skew
    sent_at = microseconds(envelope.event.sent_at)
    return None if sent_at is None else envelope.received_at - sent_at


def _name(kind: EventType, call: Payload) -> str:
    if kind is _TRACK:
        return (call.event or "").replace("\0", "").strip()
    if kind in _VIEWS:
        return text_of(call.name) or text_of((call.properties or {}).get("name")) or ""
    return ""


def _channel(call: Payload, context: dict[str, Any]) -> str:
    said = context.get("channel") or call.channel
    return _CHANNELS.get(said, said) if type(said) is str else ""


def _integrations(envelope: _Envelope) -> dict[str, Any]:
    own = _object(envelope.event.integrations)
    return {**_object(envelope.integrations), **own} if envelope.integrations else own


def _object(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}
