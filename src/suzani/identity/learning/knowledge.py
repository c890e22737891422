"""What a full run learned, kept: by it a delta, or one record, is judged exactly as that run would have."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from suzani.identity.kernels.weights import Weights, held_by
from suzani.identity.models.model import Model
from suzani.identity.pairs.blocking import Plan
from suzani.identity.pairs.packing import Packed, Words
from suzani.identity.pairs.scoring import weights_of
from suzani.identity.standardising.norms import Norms
from suzani.kernel import InvalidInput

FORMAT = "suzani-identity-knowledge"
VERSION = 1

Counted = dict[str, tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]]


@dataclass(frozen=True)
class Knowledge:
    """What a run learned from the data as a whole, and by which every pair of records can be judged alone:
    the model, how often values and words occur, and the plan of blocking (None: all pairs are compared).

    `values`: by field that weighs frequency, sorted hashes of values held by two records and more, with how
    many; `filled`: by field, how many records have a value; `words`: the same for words of texts.
    """

    model: Model
    plan: Plan | None
    values: Counted
    filled: dict[str, int]
    words: Words

    @classmethod
    def of(cls, packed: Packed, model: Model, plan: Plan | None) -> Knowledge:
        """What packed records teach beside a model."""
        values = {}
        for learned, (name, _), counts, list_ in zip(
            model.fields, packed.fields, packed.counts, packed.lists, strict=True
        ):
            if learned.weighs_frequency:
                often = np.flatnonzero(counts > 1)
                hashes = packed.hashes[often + list_[0]]
                order = np.argsort(hashes)
                values[name] = hashes[order], counts[often][order]
        filled = {name: int(n) for (name, _), n in zip(packed.fields, packed.filled, strict=True)}
        return cls(model, plan, values, filled, packed.words)

    def weights(self, packed: Packed) -> Weights:
        """The weights of packed records, whose values are as rare as they were when this was learned."""
        none = np.empty(0, dtype=np.int64)
        counts = [
            self.held_by(name, packed.hashes[first:end]) if name in self.values else none
            for (name, _), (first, end) in zip(packed.fields, packed.lists, strict=True)
        ]
        filled = np.array([self.filled[name] for name, _ in packed.fields], dtype=np.float64)
        return weights_of(self.model, packed, counts, filled)

    def held_by(self, field: str, hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """How many records held each value of a field that weighs frequency; 1 for one not known."""
        return np.asarray(held_by(*self.values[field], hashes))


@dataclass(frozen=True)
class Learned:
    """Norms and knowledge of one run; `to_bytes` keeps them, `from_bytes` reads them back."""

    norms: Norms
    knowledge: Knowledge

    def to_bytes(self) -> bytes:
        """A compressed document."""
        knowledge = self.knowledge
        document = {
            "format": FORMAT,
            "version": VERSION,
            "norms": self.norms.to_json(),
            "model": knowledge.model.to_json(),
            "rules": knowledge.plan.rules if knowledge.plan else None,
            "oversized": [o.tobytes() for o in knowledge.plan.oversized] if knowledge.plan else [],
            "values": {name: _bytes(*pair) for name, pair in knowledge.values.items()},
            "filled": knowledge.filled,
            "words": {name: _bytes(*pair) for name, pair in knowledge.words.items()},
        }
        return zlib.compress(msgspec.msgpack.encode(document), 1)

    @classmethod
    def from_bytes(cls, data: bytes, where: str = "knowledge") -> Learned:
        """Read what `to_bytes` wrote; raises InvalidInput that says what is wrong."""
        document = _document(data, where)
        try:
            plan = None
            if document["rules"] is not None:
                rules = tuple(tuple(rule) for rule in document["rules"])
                plan = Plan(rules, tuple(np.frombuffer(o, np.uint64) for o in document["oversized"]))
            knowledge = Knowledge(
                Model.from_json(document["model"], where),
                plan,
                {name: _arrays(*pair) for name, pair in document["values"].items()},
                document["filled"],
                {name: _arrays(*pair) for name, pair in document["words"].items()},
            )
            return cls(Norms.from_json(document["norms"], where), knowledge)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput(
                f"{where} lacks or misstates a part: {error}", hint="Resolve all records anew."
            ) from None


def _document(data: bytes, where: str) -> dict[str, Any]:
    try:
        document = msgspec.msgpack.decode(zlib.decompress(data))
    except (zlib.error, msgspec.DecodeError) as error:
        raise InvalidInput(f"{where} cannot be read: {error}", hint="Resolve all records anew.") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidInput(f"{where} is not what a run learned", hint="Resolve all records anew.")
    if document.get("version") != VERSION:
        raise InvalidInput(
            f"{where} has version {document.get('version')!r}; this program reads {VERSION}",
            hint="Resolve all records anew.",
        )
    return document


def _bytes(hashes: npt.NDArray[np.uint64], counts: npt.NDArray[np.int64]) -> tuple[bytes, bytes]:
    return hashes.tobytes(), counts.tobytes()


def _arrays(hashes: bytes, counts: bytes) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    # Copied, so that arrays read back are like any others: kernels are compiled once for both.
    return np.frombuffer(hashes, np.uint64).copy(), np.frombuffer(counts, np.int64).copy()
