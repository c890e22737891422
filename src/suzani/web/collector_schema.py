"""How the collector's routes are described in OpenAPI; they stand before the framework, which knows none."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI

from suzani.events import EventType
from suzani.web.collector import BATCH, CALLS, WEBHOOKS

_TEXT: Final = {"type": "string"}
_OBJECT: Final = {"type": "object", "additionalProperties": True}
_ID: Final = {"oneOf": [{"type": "string", "maxLength": 500}, {"type": "number"}]}
_MOMENT: Final = {"description": "ISO 8601, or a number since 1970", "oneOf": [_TEXT, {"type": "number"}]}

_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "description": "One event, at most 32 KB. It needs userId or anonymousId, or a product_number, phone or "
    "email among its properties.",
    "properties": {
        "type": {"enum": list(EventType), "description": "In a batch; else the route tells it"},
        "event": {"type": "string", "maxLength": 300, "description": "What happened: Card Authorised"},
        "name": {"type": "string", "description": "What was looked at (page, screen)"},
        "userId": _ID, "anonymousId": _ID, "previousId": _ID, "groupId": _ID,
        "messageId": _ID | {"description": "Two events with the same one are one event"},
        "timestamp": _MOMENT, "sentAt": _MOMENT,
        "properties": _OBJECT, "traits": _OBJECT, "context": _OBJECT, "integrations": _OBJECT,
        "writeKey": _TEXT | {"description": "Where no Authorization header can be set"},
    },
    "example": {
        "userId": "42", "event": "Card Authorised", "messageId": "auth-991",
        "properties": {"amount": 125000, "currency": "UZS"},
    },
}  # fmt: skip

_BATCH: Final[dict[str, Any]] = {
    "type": "object",
    "description": "At most 500 KB, unpacked. What is wrong in it goes to quarantine, and the rest is taken.",
    "required": ["batch"],
    "properties": {
        "batch": {"type": "array", "items": {"$ref": "#/components/schemas/SentEvent"}},
        "sentAt": _MOMENT, "context": _OBJECT, "integrations": _OBJECT, "writeKey": _TEXT,
    },
}  # fmt: skip

_TAKEN: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["success"],
    "properties": {
        "success": {"const": True},
        "accepted": {"type": "integer", "description": "Left out when nothing is in quarantine"},
        "quarantined": {"type": "integer"},
    },
}

_REFUSALS: Final = {
    "400": "No event, or no JSON: what, where, and what to do",
    "401": "No key, or one that is not known",
    "403": "A key of another role",
    "413": "More than 32 KB in an event, or 500 KB in a body",
    "415": "A body packed otherwise than by gzip",
    "429": "More events than the key may send; Retry-After says when to come again",
    "503": "The log cannot take events now; Retry-After says when to come again",
}


def document(app: FastAPI) -> None:
    """Put the collector's routes into what the application tells of itself."""
    described = app.openapi

    def with_collector() -> dict[str, Any]:
        tree = described()
        if "/v1/batch" not in tree["paths"]:
            components = tree.setdefault("components", {})
            components.setdefault("schemas", {}).update(SentEvent=_EVENT, SentBatch=_BATCH, Taken=_TAKEN)
            components.setdefault("securitySchemes", {})["writeKey"] = {
                "type": "http", "scheme": "basic", "description": "The write key as user name, no password",
            }  # fmt: skip
            for path, call in CALLS.items():
                tree["paths"][path] = {"post": _operation(path, call)}
            tree["paths"][f"{WEBHOOKS}{{source}}"] = {"post": _webhook()}
        return tree

    app.openapi = with_collector  # type: ignore[method-assign]


def _operation(path: str, call: str) -> dict[str, Any]:
    body = "SentBatch" if call == BATCH else "SentEvent"
    refusals = {
        status: {"description": text, "content": {"application/problem+json": {"schema": _OBJECT}}}
        for status, text in _REFUSALS.items()
    }
    return {
        "tags": ["collector"],
        "summary": f"Take {'a batch of events' if call == BATCH else f'one event of type {call}'}",
        "description": "As Segment's clients send it. Any origin may; the key tells the source.",
        "operationId": "collect" + path.replace("/", "_"),
        "security": [{"writeKey": []}, {}],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{body}"}}},
        },
        "responses": {
            "200": {
                "description": "Every event of it is durable",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Taken"}}},
            },
            **refusals,
        },
    }


def _webhook() -> dict[str, Any]:
    operation = _operation(WEBHOOKS + "source", BATCH)
    body = {"schema": {"oneOf": [_OBJECT, {"type": "array", "items": _OBJECT}]}}
    return operation | {
        "summary": "Take what another system sends",
        "description": "JSON of any shape, by the source's mapping; a signature counts in place of a key.",
        "parameters": [{"name": "source", "in": "path", "required": True, "schema": _TEXT}],
        "requestBody": {"required": True, "content": {"application/json": body}},
    }
