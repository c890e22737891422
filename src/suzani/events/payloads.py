"""The sender's own JSON of one event: what the door looks at, the whole, and the rules of both.

Pure. Times are read elsewhere, and never a reason to refuse; whose an event is, and what it is, are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

import msgspec

from suzani.events.types import EventType, Malformed, Reason, Violation

T = TypeVar("T")

LARGEST_EVENT: Final = 32 * 1024
"""Bytes of one event."""

LONGEST_ID: Final = 500
"""Characters of an id; a longer one could not be looked up."""

LONGEST_NAME: Final = 300
"""Characters of the name of an event."""

Id = Annotated[str, msgspec.Meta(max_length=LONGEST_ID)] | int | float | None


class _Object(msgspec.Struct):
    """Some object; what is in it is not looked at."""


class _Properties(msgspec.Struct):
    """The properties that can say whose event it is where its sender knows no user."""

    product_number: Any = None
    caller_phone: Any = None
    phone: Any = None
    email: Any = None


class _Call(msgspec.Struct, rename="camel"):
    """What every call has. Segment's field names, and `previousId`, `originalTimestamp` of RudderStack."""

    type: str = ""
    event: Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)] | None = None
    user_id: Id = None
    anonymous_id: Id = None
    previous_id: Id = None
    group_id: Id = None
    message_id: Id = None
    timestamp: Any = None
    original_timestamp: Any = None
    sent_at: Any = None


class Head(_Call, rename="camel", gc=False):
    """An event as the door sees it: enough to know that it can be taken."""

    properties: _Properties | None = None
    traits: _Object | None = None
    context: _Object | None = None


class Payload(_Call, rename="camel", gc=False):
    """A whole event."""

    name: Any = None
    category: Any = None
    channel: Any = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    integrations: Any = None


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of call, and the field that it cannot do without."""

    type: EventType
    needs: str = ""
    place: str = ""
    reason: Reason = Reason.MISSING_IDENTITY
    hint: str = ""


_KINDS: Final = {
    str(kind.type): kind
    for kind in (
        _Kind(EventType.IDENTIFY),
        _Kind(
            EventType.TRACK, "event", "event", Reason.MISSING_NAME, "Say what happened: 'Card Authorised'."
        ),
        _Kind(EventType.PAGE),
        _Kind(EventType.SCREEN),
        _Kind(EventType.GROUP, "group_id", "groupId", hint="Say which group the user belongs to."),
        _Kind(EventType.ALIAS, "previous_id", "previousId", hint="Say which id the user had before."),
    )
}
_read_head = msgspec.json.Decoder(Head).decode


def read_head(raw: bytes, call: str = "", limit: int = LARGEST_EVENT) -> tuple[Head, bytes]:
    """The head of an event and the key that orders it: whose it is, as far as its sender says.

    `call` is the kind of the route it came by, which wins over the event's own. Raises Malformed.
    """
    size = len(raw)
    if size > limit:
        raise Malformed(
            Violation(Reason.TOO_LARGE, "", f"{size:,} bytes where {limit:,} are the limit"),
            "Send large content as a reference, not inside the event.",
        )
    head = tolerant(_read_head, raw)
    kind_of(call or head.type, head)
    return head, _key(head)


def tolerant(read: Callable[[bytes], T], raw: bytes) -> T:
    """What `read` makes of JSON, or of its repaired form where only that can be read. Raises Malformed."""
    try:
        return read(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        first = error
    except RecursionError as error:
        raise unreadable(error) from None
    try:
        return read(repaired(raw))
    except (ValueError, RecursionError):
        raise unreadable(first) from None


def repaired(raw: bytes) -> bytes:
    """JSON of what common clients write beside the standard: not-a-number and numbers beyond any range become
    null, broken characters become `?`. Raises ValueError, RecursionError for anything else."""
    text = raw.decode("utf-8-sig", "replace")
    tree = json.loads(text, parse_constant=lambda name: None, parse_float=_finite, strict=False)
    return json.dumps(tree, ensure_ascii=False).encode("utf-8", "replace")


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def unreadable(error: Exception) -> Malformed:
    """What the decoder could not take, with the place where it names one."""
    detail, _, place = str(error).partition(" - at `$")
    place = place.removesuffix("`").lstrip(".").removeprefix("event.")
    if isinstance(error, UnicodeDecodeError):
        detail = "it is not UTF-8"
    elif isinstance(error, RecursionError):
        detail = "it is nested too deeply"
    return Malformed(Violation(Reason.MALFORMED, place, detail), "An event is one JSON object.")


def kind_of(name: str, call: _Call) -> EventType:
    """The kind of a call that has what its kind needs. Raises Malformed."""
    kind = _KINDS.get(name)
    if kind is None:
        found = f"{name!r} is not a type of event" if name else "missing"
        raise _wrong(Reason.UNKNOWN_TYPE, "type", found, f"Types are {', '.join(_KINDS)}.")
    if kind.needs and not text_of(getattr(call, kind.needs)):
        raise _wrong(kind.reason, kind.place, "missing", kind.hint)
    return kind.type


def _wrong(reason: Reason, place: str, detail: str, hint: str = "") -> Malformed:
    return Malformed(Violation(reason, place, detail), hint)


def _key(head: Head) -> bytes:
    """What keeps the events of one user in order. Raises Malformed where nothing says whose it is."""
    found = text_of(head.user_id) or text_of(head.anonymous_id) or _named(head.properties)
    if not found:
        raise _wrong(
            Reason.MISSING_IDENTITY,
            "userId",
            "neither userId nor anonymousId is there",
            "Give one of them, or a product_number, caller_phone, phone or email among the properties.",
        )
    return found.encode("utf-8", "replace")[:LONGEST_ID]


def _named(properties: _Properties | None) -> str | None:
    if properties is None:
        return None
    found = (properties.product_number, properties.caller_phone, properties.phone, properties.email)
    return next((text for value in found if (text := text_of(value))), None)


def text_of(value: Any) -> str | None:
    """An id as text without padding and NUL; a number becomes its digits. None where there is none."""
    if value is None:
        return None
    if type(value) is str:
        return (value.replace("\0", "") if "\0" in value else value).strip() or None
    if type(value) is float and value.is_integer():
        value = int(value)
    return str(value) if type(value) in (int, float) else None


def without_nul(value: Any) -> Any:
    """A JSON value without NUL characters, which PostgreSQL cannot hold, in texts and names alike."""
    if type(value) is str:
        return value.replace("\0", "")
    if type(value) is dict:
        return {name.replace("\0", ""): without_nul(inner) for name, inner in value.items()}
    return [without_nul(inner) for inner in value] if type(value) is list else value
