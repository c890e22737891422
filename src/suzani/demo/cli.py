"""The command `demo`: a generated bank becomes one set of customers, is audited, and is served."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from suzani.demo.service import DemoReport, run_demo
from suzani.demo.types import DEFAULT_RECORDS, DEFAULT_SEED
from suzani.infra import console
from suzani.infra.commands import JsonOption
from suzani.infra.platform import running
from suzani.infra.settings import Settings
from suzani.infra.supervisor import check_port
from suzani.profiles import Audit

Serve = Callable[[Settings, int], None]
"""Serves the pages of a data directory on a port until it is told to stop."""


def register(app: typer.Typer, *, serve: Serve) -> None:
    """Mount the command; `serve` is given by the layer that knows the pages."""

    @app.command("demo")
    def demo(
        records: Annotated[
            int, typer.Option(help="How many customer records the bank has.")
        ] = DEFAULT_RECORDS,
        seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bank.")] = DEFAULT_SEED,
        data: Annotated[
            Path | None,
            typer.Option(
                "--data", metavar="DIR", help="Where to keep it (default: `demo` in your data folder)."
            ),
        ] = None,
        port: Annotated[int, typer.Option(help="Port of the pages, on this machine only.")] = 8000,
        no_serve: Annotated[bool, typer.Option("--no-serve", help="Stop when the audit is printed.")] = False,
        as_json: JsonOption = False,
    ) -> None:
        """Make a bank of seven systems and one set of customers of it; audit that, and serve the pages."""
        with console.handled():
            settings = settings_of(data)
            if not no_serve:
                check_port(port)
            report = asyncio.run(_run(settings, records, seed))
            if as_json:
                console.print_json(report.as_dict())
            else:
                print_report(report)
            if not no_serve:
                serve(settings, port)


def settings_of(data: Path | None) -> Settings:
    """The settings of the demo's own data directory, beside the platform's unless one is given."""
    settings = Settings.from_environment(data)
    return settings if data else replace(settings, data_dir=settings.data_dir / "demo")


async def _run(settings: Settings, records: int, seed: int) -> DemoReport:
    with console.progress() as bars:
        task = bars.add_task("start", total=None)

        def show(phase: str, share: float | None) -> None:
            done = None if share is None else round(share * 1000)
            bars.update(task, description=phase, completed=done or 0, total=None if share is None else 1000)

        async with running(settings) as platform:
            return await run_demo(platform, records=records, seed=seed, progress=show)


def print_report(report: DemoReport) -> None:
    """The identity audit as tables on standard output."""
    audit, quality, pairs = report.audit, report.quality, report.quality.pairwise
    console.print_table(
        "Identity audit", ["", "seven systems", "one set of customers"], _before_and_after(audit)
    )
    console.print_table(
        "Rows: in = new + changed + unchanged + quarantined",
        ["system", "in", "new", "changed", "unchanged", "quarantined"],
        [
            [one.system, *(f"{n:,}" for n in (one.rows_in, one.rows_new, one.rows_changed, one.rows_unchanged,
                                               one.rows_quarantined))]
            for one in audit.loads
        ],
    )  # fmt: skip
    console.print_table(
        "Quality against the truth",
        ["pairwise precision", "recall", "F1", "recovered exactly", "split", "over-merged"],
        [
            [
                *(f"{n:.4f}" for n in (pairs.precision, pairs.recall, pairs.f1)),
                f"{quality.exact:.2%} of {quality.true_persons:,}",
                f"{quality.splits:,}",
                f"{quality.over_merged:,}",
            ]
        ],
    )  # fmt: skip
    console.print_table("Marketing consent", ["state", "persons", "share"], _consents(audit))
    done = "Found it as it was" if report.reused else "Done"
    console.note(
        f"{done} in {report.seconds:.1f} s. The extracts are in {report.generated.out / 'extracts'}."
    )


def _before_and_after(audit: Audit) -> list[list[str]]:
    """What the systems saw on their own, and what is seen now."""
    across = sum(one.persons for one in audit.by_systems if one.size > 1)
    share = across / audit.persons if audit.persons else 0.0
    return [
        ["customers", f"{audit.records:,}", f"{audit.persons:,}"],
        ["duplicates", "not known", f"{audit.duplicate_share:.1%}"],
        ["seen across systems", "0", f"{across:,} ({share:.1%})"],
        ["products", "", f"{audit.products:,}"],
    ]


def _consents(audit: Audit) -> list[list[str]]:
    total = max(sum(one.count for one in audit.consent), 1)
    rows = [[one.name, f"{one.count:,}", f"{one.count / total:.1%}"] for one in audit.consent]
    return [
        *rows,
        ["systems disagree", f"{audit.consent_conflicts:,}", f"{audit.consent_conflicts / total:.1%}"],
    ]
