"""HTML from Python values, escaped unless it was made here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


class Markup(str):
    """HTML that is safe to put into a page as it is."""

    __slots__ = ()


Content: TypeAlias = "Markup | str | int | Iterable[Content] | None"
"""What a tag may hold; text is escaped, None is left out, and lists are joined."""


def tag(name: str, /, *children: Content, **attributes: str | int | bool | None) -> Markup:
    """An element. `class_` is written class, `aria_label` aria-label; True is a bare attribute, None and
    False none."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: Content) -> Markup:
    """Several pieces one after another."""
    return Markup("".join(map(_content, children)))


def _content(child: Content) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str | int):
        return escape(str(child))
    return "".join(map(_content, child))


def _attribute(key: str, value: str | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
