"""JSON Lines: one object a line, nested values reached by dotted paths (`client.name.last`, `phones.0`).

Numbers keep their text, so that neither a long id nor an amount goes through a float.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO, NoReturn

from suzani.kernel import InvalidInput
from suzani.sources.readers.lines import Block, Blocks
from suzani.sources.readers.rows import Request, Row, Source, batch_of_rows, overlong, text_of
from suzani.sources.types import RawBatch, Reason, Reject

SURE_ROWS = 100
"""With this many rows in which a path never occurs, the file does not have it."""

_ABSENT = object()


class _Unusable(ValueError):
    """Valid JSON that cannot be taken: NaN, or a name given twice."""


def open_json_lines(stream: BinaryIO, request: Request) -> Source:
    """The rows of a JSON Lines file. Raises `InvalidInput` when it is empty."""
    blocks = Blocks(stream, request.name, request.format.encoding, request.limits)
    first = blocks.next()
    if first is None:
        raise InvalidInput(f"{request.name} is empty")
    objects = [found for _, found in _objects(first, blocks, []) if found is not None]
    there = _leaves(objects)
    wanted = request.columns or request.wanted
    paths = wanted if wanted is not None else there
    present = tuple(name for name in paths if any(_at(item, name) is not _ABSENT for item in objects))
    columns = tuple(dict.fromkeys((*present, *there)))
    certain = not first.last or len(objects) >= SURE_ROWS
    batches = (_batch(block, blocks, paths, request) for block in chain([first], iter(blocks.next, None)))
    return Source(columns, certain, (batch for batch in batches if batch.count))


def _batch(block: Block, blocks: Blocks, paths: tuple[str, ...], request: Request) -> RawBatch:
    rejects: list[Reject] = []
    if block.overlong:
        rejects.append(overlong(block.line, block.data, block.overlong, request.limits))
        return batch_of_rows(paths, [], [], lambda _: b"", request.limits, rejects)
    rows: list[Row] = []
    at: list[int] = []
    split = [tuple(name.split(".")) for name in paths]
    for i, item in _objects(block, blocks, rejects):
        if item is not None:
            rows.append(
                tuple(_text(_find(item, name, parts)) for name, parts in zip(paths, split, strict=True))
            )
            at.append(i)
    numbers = [block.line + i for i in at]
    lines = block.data.split(blocks.newline)
    return batch_of_rows(paths, rows, numbers, lambda i: lines[at[i]], request.limits, rejects)


def _objects(
    block: Block, blocks: Blocks, rejects: list[Reject]
) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Each line's object with its position; a line that is none joins the `rejects` and gives None."""
    if block.overlong:
        return
    decoder = json.JSONDecoder(
        object_pairs_hook=_object, parse_constant=_no_constant, parse_float=str, parse_int=str
    )
    for i, line in enumerate(block.data.split(blocks.newline)):
        if line.isspace() or not line:
            continue
        item, problem = _decoded(decoder, line.decode(blocks.encoding, "surrogateescape").strip())
        if problem:
            rejects.append(Reject(block.line + i, *problem, raw=line))
        yield i, item


def _decoded(decoder: json.JSONDecoder, text: str) -> tuple[dict[str, Any] | None, tuple[Reason, str] | None]:
    try:
        item = decoder.decode(text)
    except _Unusable as error:
        return None, (Reason.WRONG_SHAPE, str(error))
    except ValueError as error:
        at = getattr(error, "pos", 0) + 1
        if any("\udc80" <= char <= "\udcff" for char in text):
            return None, (Reason.BROKEN_ENCODING, "the line is not text in this encoding")
        return None, (Reason.WRONG_SHAPE, f"not valid JSON: {getattr(error, 'msg', error)} at character {at}")
    except RecursionError:
        return None, (Reason.WRONG_SHAPE, "nested too deeply")
    if not isinstance(item, dict):
        return None, (Reason.WRONG_SHAPE, "the line is valid JSON, but not an object")
    return item, None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    item = dict(pairs)
    if len(item) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Unusable(f"{twice!r} is given twice")
    return item


def _no_constant(name: str) -> NoReturn:
    raise _Unusable(f"{name} is no JSON value")


def _text(value: Any) -> str | None:
    return value if value is None or type(value) is str else None if value is _ABSENT else text_of(value)


def _at(item: dict[str, Any], name: str) -> Any:
    return _find(item, name, tuple(name.split(".")))


def _find(item: dict[str, Any], name: str, parts: tuple[str, ...]) -> Any:
    if name in item:
        return item[name]
    found: Any = item
    for part in parts:
        if isinstance(found, dict):
            found = found.get(part, _ABSENT)
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return _ABSENT
    return found


def _leaves(objects: list[dict[str, Any]]) -> tuple[str, ...]:
    """The dotted paths of all values in the first objects, lists of objects by position."""
    found: dict[str, None] = {}
    for item in objects[:1000]:
        _walk(item, "", found, 0)
    return tuple(found)


def _walk(value: Any, path: str, found: dict[str, None], depth: int) -> None:
    inner: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = [(str(i), item) for i, item in enumerate(value[:10])]
    if not inner or depth > 8:
        if path:
            found[path] = None
        return
    for name, item in inner:
        _walk(item, f"{path}.{name}" if path else name, found, depth + 1)
