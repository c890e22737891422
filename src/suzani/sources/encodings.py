"""Text encodings as banks' systems write them: which are known, and which a sample is in."""

from __future__ import annotations

import codecs

BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def known_encoding(name: str) -> bool:
    """Whether a text encoding of this name exists here."""
    try:
        return bool(codecs.lookup(name).name) and isinstance("a".encode(name), bytes)
    except (LookupError, ValueError, TypeError):
        return False


def is_wide(name: str) -> bool:
    """Whether the encoding writes ASCII in more than one byte, so that lines cannot be split as bytes."""
    return len("\n".encode(name)) > 1


def guess_encoding(sample: bytes) -> tuple[str, str]:
    """The encoding a sample of a file is most likely in, and why.

    A byte order mark or valid UTF-8 decide; otherwise zero bytes tell UTF-16, and what the letters come out
    as tells EUC-KR (Hangul), windows-1251 (Cyrillic) and latin-1 apart. Never fails: latin-1 takes any byte.
    """
    for mark, name in BOMS:
        if sample.startswith(mark):
            return name, "byte order mark"
    if _decodes(sample, "utf-8"):
        return "utf-8", "valid UTF-8"
    wide = _wide_guess(sample)
    if wide:
        return wide, "every other byte is zero"
    high = [byte for byte in sample if byte >= 0x80]
    korean = _decodes(sample, "cp949") and sample.decode("cp949", "ignore")
    if korean and _share(korean, "가", "힣") > 0.9:
        return "cp949", "letters come out as Hangul"
    if _share(bytes(high).decode("cp1251", "ignore"), "А", "я") > 0.8:
        return "windows-1251", "letters come out as Cyrillic"
    if len(high) < len(sample) * 0.001 and _decodes_mostly(sample):
        return "utf-8", "almost entirely valid UTF-8; the rest is broken"
    return "latin-1", "no other encoding fits"


def _share(text: str, first: str, last: str) -> float:
    letters = [char for char in text if ord(char) >= 0x80]
    return sum(first <= char <= last or char in "Ёё№" for char in letters) / max(len(letters), 1)


def _decodes(sample: bytes, encoding: str) -> bool:
    """Whether the sample decodes, but for a character cut off at its end."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        decoder.decode(sample, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _decodes_mostly(sample: bytes) -> bool:
    text = sample.decode("utf-8", "replace")
    return text.count("�") <= max(len(text) // 500, 8)


def _wide_guess(sample: bytes) -> str | None:
    head = sample[: len(sample) // 2 * 2]
    if not head:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > half * 0.3 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.3 and odd < half * 0.05:
        return "utf-16-be"
    return None
