"""The channels of a bank: their icons and names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from suzani.web.language import Texts
from suzani.web.markup import Markup, tag

SYSTEMS: Final = "systems"
"""The channel of what product systems tell: records that came or changed, products opened and closed."""

_ICONS: Final[Mapping[str, str]] = {
    "web": "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M2 8h12M8 2c4 4 4 8 0 12M8 2c-4 4-4 8 0 12",
    "app": "M5 1.5h6a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-11a1 1 0 0 1 1-1M7.2 12.3h1.6",
    "branch": "M2 6.5 8 2l6 4.5zM3.5 7v5M8 7v5M12.5 7v5M2 13.5h12",
    "call_centre": "M3 9V8a5 5 0 0 1 10 0v1M2.5 9h2v3.5h-2zM11.5 9h2v3.5h-2zM12.5 12.5c0 1.3-1.5 1.8-3.5 1.8",
    "card": "M2 3.5h12v9H2zM2 6.3h12M4 10.2h3",
    "chat": "M2 3h12v8H7.5L4.5 13.8V11H2z",
    "email": "M2 3.5h12v9H2zM2 4.2l6 4.6 6-4.6",
    "sms": "M2 3h12v8H7.5L4.5 13.8V11H2zM5 7h.1M8 7h.1M11 7h.1",
    "ads": "M2 6.5v3h2.5L11 13V3L4.5 6.5zM13.5 6.3v3.4",
    "crm": "M8 2.2a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2M3 13.8c0-3 2-4.6 5-4.6s5 1.6 5 4.6",
    "atm": "M2 3h12v5H2zM4.5 8v5.5h7V8M4.5 5.4h7M8 9.8a1 1 0 1 0 0 2 1 1 0 0 0 0-2",
    "transfers": "M2 5.5h10.5L10 3M14 10.5H3.5L6 13",
    SYSTEMS: "M8 2c3 0 5 .8 5 1.8S11 5.6 8 5.6 3 4.8 3 3.8 5 2 8 2M3 3.8v8.4c0 1 2 1.8 5 1.8s5-.8 5-1.8V3.8"
    "M3 8c0 1 2 1.8 5 1.8S13 9 13 8",
}
"""Lines on a field of 16 by 16."""

_OTHER: Final = "M8 3.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M8 6v2.3l1.6 1"


def icon(channel: str) -> Markup:
    """The icon of a channel, for the eye only."""
    lines = tag("path", d=_ICONS.get(channel, _OTHER))
    return tag("svg", lines, viewBox="0 0 16 16", class_="icon", data_channel=channel, aria_hidden="true")


def channel_title(texts: Texts, channel: str) -> str:
    """A channel's name for people; one that is not known keeps its own."""
    if not channel:
        return texts("timeline.no_channel")
    return texts.known(f"channel.{channel}", channel.replace("_", " ").capitalize())
