"""Addresses and other texts as sorted words, with the many ways to write street, house and flat made one."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from suzani.identity.kernels.texts import join_sorted
from suzani.identity.values.scripts import latin
from suzani.identity.values.texts import MANY, Texts, as_array, as_list, bytes_of, texts_of, words_in

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


def standard_addresses(values: Texts) -> Texts:
    """Each address as its sorted distinct words, filler words (street, house, flat …) left out."""
    return _bags(values, _WORDS)


def standard_texts(values: Texts) -> Texts:
    """Each text of any kind (an organisation, a title) as its sorted distinct words."""
    return _bags(values, {})


def _bags(values: Texts, same: Mapping[str, str]) -> Texts:
    if len(values) >= MANY:
        return _many_bags(as_array(values), same)
    return [" ".join(sorted(set(_meant(line, same)))) for line in latin(as_list(values))]


def _meant(latin_form: str, same: Mapping[str, str]) -> list[str]:
    """The standard words of a text in Latin letters."""
    words = _WORD.findall(latin_form)
    return [meant for word in words if (meant := same.get(word, word))]


def _many_bags(texts: pa.StringArray, same: Mapping[str, str]) -> pa.StringArray:
    """As `_bags`: words repeat far more than texts, so each distinct one is looked at once."""
    ids, begins, typed = words_in(texts)
    meant = [_meant(form, same) for form in latin(typed)]
    vocabulary = sorted({word for words in meant for word in words})
    rank = {word: at for at, word in enumerate(vocabulary)}
    ranks = np.array([rank[word] for words in meant for word in words], dtype=np.int32)
    ends = np.cumsum([0, *map(len, meant)])
    return texts_of(*join_sorted(ids, begins, ends, ranks, *bytes_of(as_array(vocabulary))))
