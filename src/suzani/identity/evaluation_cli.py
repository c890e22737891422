"""The command `evaluate`: persons against the truth, and each person that is wrong, with the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from suzani.identity.files.evaluation import Comparison, labelled, reliability_of_edges
from suzani.identity.files.linking import Input, read_fields, read_input
from suzani.identity.files.tables import read_table
from suzani.identity.model_cli import read_model
from suzani.identity.models.calibration import Reliability
from suzani.identity.reasons.misses import (
    ExplainedMiss,
    MissedRecord,
    Reason,
    Run,
    Wrong,
    edges_known,
    explain_misses,
    find_misses,
)
from suzani.infra import console

SIDE_BY_SIDE = 4
"""Records in one table."""

SHOWN_BITS = 0.05
"""What a field adds is shown from here on."""


def evaluate_command(
    persons: Annotated[Path, typer.Argument(help="What `suzani link` wrote.")],
    truth: Annotated[Path, typer.Argument(help="A file that tells the true person of each record.")],
    id_column: Annotated[str, typer.Option("--id", help="The record's id in the truth file.")],
    truth_column: Annotated[str, typer.Option("--truth", help="The true person in the truth file.")],
    edges: Annotated[
        Path | None,
        typer.Option(help="What `suzani link --edges` wrote: also tell how far its probabilities hold."),
    ] = None,
    misses: Annotated[
        int | None, typer.Option(help="List so many wrongly merged or split persons, largest first.", min=1)
    ] = None,
    records: Annotated[
        list[Path] | None,
        typer.Option(help="With --misses: a file that was linked (else the truth file); may repeat."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="With --misses: what `suzani link --save-model` wrote, to say why, in bits."),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="With --misses: a column that was ignored; may be repeated.")
    ] = None,
    fields: Annotated[
        Path | None, typer.Option(help="With --misses: the YAML file of columns that was given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare persons with the truth: pairwise and B-cubed precision, recall, F1, splits and over-merges.

    With --edges also the reliability of the probabilities: of the pairs given 0.8, eight in ten should be one
    person. Pairs below 0.5 stand in that file only where other evidence joined their records, and are left
    out. The calibration error is the mean gap between what was predicted and what is true. With --misses
    the persons that are wrong, their records side by side, and what speaks for and against.
    """
    with console.handled():
        true, kept = read_table(truth), read_table(edges) if edges else None
        labels = labelled(read_table(persons), true, id_column, truth_column)
        compared = labels.compared()
        _say_left_out(compared)
        curve = reliability_of_edges(kept, true, id_column, truth_column) if kept else None
        wrong = find_misses(labels.found, labels.true) if misses else []
        data = run = None
        if misses:
            data = _records(records or [truth], id_column, [*(ignore or []), truth_column], fields)
        if data and model:
            run = Run.of(data, read_model(model), edges_known(kept, labels.by_source) if kept else None)
        listed = explain_misses(wrong[:misses], labels, data, run)
        if as_json:
            found = compared.evaluation.as_dict()
            if curve:
                found["reliability"] = asdict(curve)
            if misses:
                found["misses"] = {"persons": len(wrong), "listed": [asdict(miss) for miss in listed]}
            console.print_json(found)
            return
        _say_evaluation(compared)
        if curve:
            _say_reliability(curve)
        _say_misses(listed, len(wrong))


def _records(files: Sequence[Path], id_column: str, ignored: Sequence[str], fields: Path | None) -> Input:
    """The records that were linked; no file need have the columns to ignore: the truth may lie apart."""
    known = {name for path in files for name in read_table(path).column_names}
    present = [name for name in ignored if name in known and name != id_column]
    return read_input(files, id_column, present, read_fields(fields) if fields else None)


def _say_left_out(compared: Comparison) -> None:
    if compared.without_truth or compared.without_person:
        console.note(
            f"Left out: {compared.without_truth:,} records without truth, "
            f"{compared.without_person:,} records of the truth without a person."
        )


def _say_reliability(curve: Reliability) -> None:
    rows = [
        [
            f"{item.low:g}–{item.high:g}",
            f"{item.pairs:,}",
            f"{item.predicted:.4f}",
            f"{item.share:.4f}",
            f"{item.share_low:.4f}–{item.share_high:.4f}",
        ]
        for item in curve.bins
    ]
    console.print_table(
        "Reliability of probabilities", ["probability", "pairs", "predicted", "true", "95 % interval"], rows
    )
    given = f"{curve.uncertain:,} given less than 0.99"
    console.OUT.print(
        f"Calibration error {curve.error:.4f} over {curve.pairs:,} pairs, {curve.uncertain_error:.4f} over "
        f"the {given}; log loss {curve.log_loss:.4f}, Brier {curve.brier:.5f}.",
        highlight=False,
        soft_wrap=True,
    )


def _say_evaluation(compared: Comparison) -> None:
    e = compared.evaluation
    rows = [
        [name, f"{scores.precision:.4f}", f"{scores.recall:.4f}", f"{scores.f1:.4f}"]
        for name, scores in (("pairs of records", e.pairwise), ("B-cubed", e.b_cubed))
    ]
    console.print_table("Quality", ["over", "precision", "recall", "F1"], rows)
    console.print_table(
        "Persons",
        ["records", "true persons", "found persons", "recovered exactly", "split", "over-merged"],
        [
            [
                f"{e.records:,}",
                f"{e.true_persons:,}",
                f"{e.found_persons:,}",
                f"{e.exact:.2%}",
                f"{e.splits:,}",
                f"{e.over_merged:,}",
            ]
        ],
    )


def _say_misses(listed: Sequence[ExplainedMiss], of: int) -> None:
    for number, miss in enumerate(listed, 1):
        groups = len(miss.groups)
        said = (
            f"found person {miss.person} holds {groups} true persons, {miss.pairs:,} pairs wrongly together"
            if miss.kind is Wrong.MERGED
            else f"true person {miss.person} is in {groups} found ones, {miss.pairs:,} pairs wrongly apart"
        )
        _say(f"\n{number} of {of:,}. {miss.kind.value.capitalize()}: {said}.")
        members = [record for group in miss.groups.values() for record in group]
        for at in range(0, len(members), SIDE_BY_SIDE):
            _say_records(members[at : at + SIDE_BY_SIDE])
        for reason in miss.reasons:
            _say_reason(reason)


def _say_records(records: Sequence[MissedRecord]) -> None:
    columns = dict.fromkeys(name for record in records for name in record.values)
    rows = [
        ["true person", *(record.true for record in records)],
        ["found person", *(record.found for record in records)],
        *([name, *(record.values.get(name, "") for record in records)] for name in columns),
    ]
    console.print_table("", ["", *(record.key for record in records)], rows)


def _say_reason(reason: Reason) -> None:
    why = reason.why
    rows = [["", "prior", "", "", f"{why.prior_bits:+.1f}", f"{why.prior_bits:+.1f}"]]
    for step in why.steps:
        values = step.value_a or "", step.value_b or ""
        if abs(step.bits) >= SHOWN_BITS:
            sums = f"{step.bits:+.1f}", f"{step.cumulative_bits:+.1f}"
            rows.append([step.field, step.level, *values, *sums])
    names = [f"{name.system}/{name.key}" for name in (why.record_a, why.record_b)]
    console.print_table(" and ".join(names), ["field", "level", *names, "bits", "sum of bits"], rows)
    blocked = "" if reason.compared else ", but no blocking rule brought them together"
    _say(f"{why.verdict.value.capitalize()}{blocked}: probability {why.probability or 0:.4f}.")


def _say(text: str) -> None:
    console.OUT.print(text, highlight=False, soft_wrap=True, markup=False)
