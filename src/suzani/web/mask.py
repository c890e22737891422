"""The one place that decides how much of a personal value a viewer sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_SHOWN: Final = 4
_PERSONAL: Final = frozenset({
    "national_id", "tax_id", "document", "phone", "phone_2", "email", "address", "postcode", "number",
    "product_number",
})  # fmt: skip
"""Attributes and kinds of identifiers that tell who somebody is, or give access to what is theirs."""


def mask(attribute: str, value: str) -> str:
    """The value of an attribute as it may be shown: in full, as pages are for this machine's own user."""
    return value


def masked(attribute: str, value: Any) -> Any:
    """The value as someone sees it who may not see personal ones: the last four characters, or the domain."""
    if attribute not in _PERSONAL or not isinstance(value, str):
        return value
    if attribute == "email" and "@" in value:
        return f"{value[:1]}•••@{value.rpartition('@')[2]}"
    return f"•••{value[-_SHOWN:]}" if len(value) > _SHOWN * 2 else "•••"


def masked_profile(found: Mapping[str, Any]) -> dict[str, Any]:
    """A profile with its personal values masked, wherever they stand."""
    shown = dict(found)
    if "profile" in shown:
        shown["profile"] = {name: masked(name, value) for name, value in shown["profile"].items()}
    if "products" in shown:
        shown["products"] = [
            {name: masked(name, value) for name, value in one.items()} for one in shown["products"]
        ]
    if "identifiers" in shown:
        shown["identifiers"] = [
            one | {"value": masked(one["kind"], one["value"])} for one in shown["identifiers"]
        ]
    return shown
