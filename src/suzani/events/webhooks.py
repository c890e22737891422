"""Webhooks: JSON of other systems, by the mapping of its source, genuine by a key or a signature."""

from __future__ import annotations

import base64
import hmac
import os
import re
from collections.abc import Mapping as Values
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from suzani.events.mapping import Mapping, Signature, find_mapping
from suzani.events.payloads import tolerant
from suzani.events.reading import Sorted
from suzani.events.records import Record, record_of
from suzani.events.shaping import Shaper, events_by
from suzani.kernel import NotFound, Unauthorised, Unavailable

_SOURCE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_read_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def mapping_of(data_dir: Path, source: str) -> Mapping:
    """The mapping that makes a source take webhooks. Raises NotFound, and InvalidInput for a wrong file."""
    mapping = find_mapping(data_dir, source) if _SOURCE.fullmatch(source) else None
    if mapping is None:
        hint = "The mapping intake/SOURCE.yaml in the data directory makes one."
        raise NotFound(f"there is no webhook {source[:60]!r}", hint=hint)
    return mapping


def check_signature(signature: Signature, headers: Values[bytes, bytes], body: bytes) -> None:
    """See that a body bears its sender's signature. Raises Unauthorised, and Unavailable without a secret."""
    secret = os.environ.get(signature.secret_variable, "")
    if not secret:
        raise Unavailable(f"{signature.secret_variable} is not set", hint="It holds the webhook's secret.")
    mac = hmac.new(secret.encode(), body, signature.algorithm)
    right = mac.hexdigest() if signature.encoding == "hex" else base64.b64encode(mac.digest()).decode()
    shown = headers.get(signature.header.lower().encode(), b"")
    if not hmac.compare_digest(f"{signature.prefix}{right}".encode(), shown):
        raise Unauthorised(
            "the signature is wrong, or missing", hint=f"It is looked for in {signature.header}."
        )


def sort_webhook(source: str, mapping: Mapping, body: bytes, received_at: int) -> Sorted:
    """The events of a webhook's JSON, an object or a list of them, and what is refused.

    Delivered again it gives the same messages. Raises Malformed for what is no JSON.
    """
    raws = [bytes(raw) for raw in tolerant(_read_list, body)] if body.lstrip()[:1] == b"[" else [body]
    records: list[Record] = [record_of(row, raw) for row, raw in enumerate(raws, 1)]
    events = events_by(mapping, None, records, is_typed=True)
    place = blake2b(body, digest_size=16).digest()
    return Shaper(source, source, events, "webhook, item", place).sort(records, received_at)
