"""Addresses and other texts as sorted words, with the many ways to write street, house and flat made one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from suzani.identity.scripts import latin

_SAME_WORDS = {
    "": "street st str strasse ulitsa ul kuchasi kochasi ko cha kucha kocha k gil "
    "dom d uy house h bld bldg building block appartment apartment apartments appt apt kvartira kv xonadon "
    "khonadon flat unit suite no number gorod g shahar shahri city tuman tumani rayon r n district mahalla "
    "mahallasi mfy makhallya makhalla viloyat viloyati oblast obl region the",
    "ave": "avenue av prospekt pr prospect",
    "rd": "road",
    "ln": "lane tor torkochasi tupik",
    "dr": "drive",
    "pl": "place",
    "blvd": "boulevard bulvar",
    "pde": "parade",
    "cres": "crescent cr cresc",
    "ct": "court",
    "cct": "circuit",
    "tce": "terrace",
    "sq": "square ploschad maydon maydoni",
    "hwy": "highway shosse",
    "mt": "mount",
    "saint": "snt",
    "pobox": "po box",
    "massiv": "massivi mass",
    "dakha": "dakhasi mavze mavzesi kvartal kv-l mkr mikrorayon",
}
_WORDS = {word: target for target, words in _SAME_WORDS.items() for word in words.split()}
_WORD = re.compile(r"\d+|[a-z]+")


def standard_addresses(values: Sequence[str]) -> list[str]:
    """Each address as its sorted distinct words, filler words (street, house, flat …) left out."""
    return [_sorted_words(line) for line in latin(values)]


def standard_texts(values: Sequence[str]) -> list[str]:
    """Each text of any kind (an organisation, a title) as its sorted distinct words."""
    return [" ".join(sorted(set(_WORD.findall(line)))) for line in latin(values)]


def _sorted_words(line: str) -> str:
    words = {_WORDS.get(word, word) for word in _WORD.findall(line)}
    words.discard("")
    return " ".join(sorted(words))
