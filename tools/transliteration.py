"""Measure how well names find their Latin spelling, and what the folded forms make equal.

    .venv/bin/python tools/transliteration.py FOLDER [--part 16] [--names 5000]

FOLDER holds files of NETransliteration-COLING2018 (wd_russian_20, wd_korean_20 …): a Latin token, the letters
of the same name in another script parted by spaces, a frequency. Every name of the other script looks for its
Latin spellings among all Latin tokens of the file: by the folded form alone, and by the levels that names are
compared with (same form, near, similar; then by Jaro-Winkler of the folded forms). Ties count with their
middle rank. The last columns tell what the folds cost: how many Latin tokens share their folded form with
another token that is none of its spellings, of all tokens of the file.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from suzani.identity.values.names import comparable_names, folded_names, phonetic_keys

Ranks = npt.NDArray[np.float64]
_CHUNK = 256


@dataclass(frozen=True)
class Forms:
    """Names with the forms they are compared in."""

    text: list[str]
    folded: list[str]
    sound: list[str]

    @classmethod
    def of(cls, names: Sequence[str]) -> Forms:
        """The forms of names as written."""
        text = [name.replace(" ", "") for name in comparable_names(names)]
        return cls(text, folded_names(text), phonetic_keys(text))


def read_pairs(path: Path) -> list[tuple[str, str]]:
    """(Latin token, name in the other script), lower-case, of one file."""
    lines = (line.split("\t") for line in path.read_text("utf-8").splitlines())
    return [(parts[0], parts[1].replace(" ", "")) for parts in lines if len(parts) >= 2]


def scores(queries: Forms, names: Forms) -> Iterator[tuple[slice, Ranks]]:
    """Chunks of queries with their score against every name: the level, then the similarity below one."""
    lengths = np.array([len(text) for text in names.text])
    sounds = np.array(names.sound)
    for start in range(0, len(queries.text), _CHUNK):
        part = slice(start, start + _CHUNK)
        text = queries.text[part]
        alike = process.cdist(text, names.text, scorer=JaroWinkler.similarity, workers=-1)
        slips = process.cdist(text, names.text, scorer=OSA.distance, score_cutoff=1, workers=-1)
        folds = process.cdist(
            queries.folded[part], names.folded, scorer=JaroWinkler.similarity, dtype=np.float64, workers=-1
        )
        shorter = np.minimum(np.array([len(name) for name in text])[:, None], lengths)
        level = np.zeros(alike.shape)
        level[(alike >= 0.80) | ((np.array(queries.sound[part])[:, None] == sounds) & (shorter > 2))] = 1
        level[((slips <= 1) | (alike >= 0.93)) & (shorter >= 4)] = 2
        level[folds >= 1.0] = 3
        yield part, level + folds * 0.99


def rank(score: Ranks, right: Sequence[int]) -> float:
    """Place of the best right name by score; equal scores share their middle place."""
    best = score[list(right)].max()
    return float((score > best).sum() + ((score == best).sum() + 1) / 2)


def line(label: str, ranks: Sequence[float]) -> str:
    """Top 1, top 10 and mean reciprocal rank of the ranks (0: not found)."""
    found = np.array(ranks)
    inverse = np.divide(1.0, found, out=np.zeros_like(found), where=found > 0)
    top = [((found > 0) & (found <= limit)).mean() for limit in (1, 10)]
    return f"{label} | {top[0]:.1%} | {top[1]:.1%} | {inverse.mean():.3f}"


def merged_tokens(tokens: Sequence[str], spellings: dict[str, set[str]]) -> int:
    """How many tokens share a folded form with a token that no name of the other script pairs them with."""
    groups: dict[str, list[str]] = defaultdict(list)
    for token, form in zip(tokens, folded_names(comparable_names(tokens)), strict=True):
        groups[form].append(token)
    return sum(
        any(other != token and not spellings[token] & spellings[other] for other in group)
        for group in groups.values()
        if len(group) > 1
        for token in group
    )


def measure(path: Path, limit: int) -> str:
    """Two rows of the table for one file."""
    pairs = read_pairs(path)
    latin = sorted({token for token, _ in pairs})
    where = {token: index for index, token in enumerate(latin)}
    right: dict[str, set[int]] = defaultdict(set)
    written: dict[str, set[str]] = defaultdict(set)
    for token, name in pairs:
        right[name].add(where[token])
        written[token].add(name)
    queries = sorted(right)
    queries = Random(1).sample(queries, min(limit, len(queries)))  # noqa: S311
    names, asked = Forms.of(latin), Forms.of(queries)
    by_level: list[float] = []
    by_form: list[float] = []
    for part, score in scores(asked, names):
        for query, row in zip(queries[part], score, strict=True):
            by_level.append(rank(row, sorted(right[query])))
            same = np.where(row >= 3, 1.0, 0.0)
            by_form.append(rank(same, sorted(right[query])) if same[sorted(right[query])].any() else 0.0)
    merged = merged_tokens(latin, written)
    head = f"| {path.name} | {len(queries):,} of {len(right):,} | {len(latin):,}"
    cost = f"{len(latin) - len(set(names.folded)):,} | {merged / len(latin):.1%}"
    return "\n".join(
        f"{head} | {line(label, ranks)} | {cost} |"
        for label, ranks in (("folded form", by_form), ("levels", by_level))
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", default="20", help="which files: 20 is the test part, 16 dev, 64 train")
    parser.add_argument("--names", type=int, default=1_000_000, help="at most so many names, drawn at random")
    arguments = parser.parse_args()
    print("| file | names | Latin tokens | by | top 1 | top 10 | MRR | forms lost | tokens merged |")
    print("|---|---|---|---|---|---|---|---|---|")
    for path in sorted(arguments.folder.glob(f"*_{arguments.part}")):
        print(measure(path, arguments.names), flush=True)


if __name__ == "__main__":
    main()
