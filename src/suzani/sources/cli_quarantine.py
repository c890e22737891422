"""Commands of the quarantine: `suzani quarantine list | show | replay | export | dismiss`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from suzani.infra import console
from suzani.infra.commands import DataOption, JsonOption
from suzani.infra.platform import Platform, running
from suzani.infra.quarantine import Replay, legible, report, state_asked
from suzani.infra.settings import Settings
from suzani.kernel import InvalidInput, NotFound
from suzani.sources import quarantine, quarantine_store
from suzani.sources.quarantine import Fix
from suzani.sources.types import QuarantinedRow, Reason

app = typer.Typer(no_args_is_help=True, help="Rows that could not be used: see, fix, replay or dismiss them.")

System = Annotated[str | None, typer.Option(help="Only rows of this system.")]
ByReason = Annotated[Reason | None, typer.Option(help="Only rows with this reason.")]
Ids = Annotated[list[int] | None, typer.Argument(help="Numbers of rows in quarantine.")]


@app.command("list")
def list_command(
    system: System = None,
    reason: ByReason = None,
    state: Annotated[str, typer.Option(help="open, replayed, dismissed or all.")] = "open",
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 100,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """The rows in quarantine, oldest first."""

    async def work() -> list[QuarantinedRow]:
        wanted = state_asked(state)
        async with running(Settings.from_environment(data)) as platform, platform.db.transaction() as tx:
            asked = quarantine_store.rows(tx, system=system, reason=reason, state=wanted, limit=limit)
            return [row async for row in asked]

    found = console.run(work())
    if as_json:
        console.print_json([_plain(row) for row in found])
        return
    rows = [
        [
            str(r.quarantine_id),
            r.system,
            f"{Path(r.file).name}:{r.row}",
            str(r.reason),
            r.field or "",
            r.detail,
        ]
        for r in found
    ]
    console.print_table("Quarantine", ["id", "system", "file:row", "reason", "field", "detail"], rows)
    if len(found) == limit:
        console.note(f"The first {limit:,} rows; --limit shows more.")


def _plain(row: QuarantinedRow) -> dict[str, Any]:
    return asdict(row) | {"raw": legible(row.raw), "raw_bytes": len(row.raw)}


@app.command("show")
def show_command(quarantine_id: int, data: DataOption = None, as_json: JsonOption = False) -> None:
    """One row in quarantine, with its values and its raw text."""

    async def work() -> QuarantinedRow:
        async with running(Settings.from_environment(data)) as platform:
            return (await _chosen(platform, [quarantine_id], None, None, state=None))[0]

    row = console.run(work())
    if as_json:
        console.print_json(_plain(row))
        return
    facts = {"system": row.system, "file": row.file, "row": str(row.row), "reason": str(row.reason)}
    facts |= {"field": row.field or "", "detail": row.detail, "state": row.state, "load": str(row.load_id)}
    facts |= {"at": row.at.isoformat(timespec="seconds"), "note": row.note or "", "raw": legible(row.raw)}
    console.print_table(f"Row {quarantine_id}", ["", ""], [[k, v] for k, v in facts.items() if v])
    if row.values:
        values = [[n, v or "", "damaged" if n in row.damaged else ""] for n, v in row.values.items()]
        console.print_table("Values", ["column", "value", ""], values)


@app.command("replay")
def replay_command(
    ids: Ids = None,
    everything: Annotated[bool, typer.Option("--all", help="All open rows.")] = False,
    system: System = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="FIELD=VALUE: put this value in place; may be repeated.")
    ] = None,
    raw: Annotated[str | None, typer.Option(help="The whole row as it should have been.")] = None,
    file: Annotated[Path | None, typer.Option(help="An exported file, corrected.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Load rows in quarantine again, with or without a fix. What is still wrong stays there."""

    async def work() -> list[Replay]:
        fixes = quarantine.read_fixes(file) if file else {}
        chosen = [*(ids or []), *fixes]
        if not chosen and not everything and system is None:
            raise InvalidInput("say which rows", hint="Give ids, --system, --file or --all.")
        fix = _fix_of(changes or [], raw)
        async with running(Settings.from_environment(data)) as platform:
            rows = await _chosen(platform, chosen, system, None)
            by_id = {
                r.quarantine_id: quarantine.only_changes(r, fixes[r.quarantine_id])
                for r in rows
                if r.quarantine_id in fixes
            }
            by_id |= {row.quarantine_id: fix for row in rows if row.quarantine_id not in fixes and fix}
            return await quarantine.replay(platform, rows, by_id)

    report(console.run(work()), as_json=as_json)


def _fix_of(changes: Sequence[str], raw: str | None) -> Fix | None:
    values: dict[str, str | None] = {}
    for change in changes:
        name, sign, value = change.partition("=")
        if not sign or not name:
            raise InvalidInput(f"--set {change!r} is not FIELD=VALUE")
        values[name] = value or None
    return Fix(values or None, raw) if values or raw is not None else None


@app.command("export")
def export_command(
    file: Annotated[Path, typer.Argument(help="A new .csv or .jsonl.")],
    system: System = None,
    reason: ByReason = None,
    data: DataOption = None,
) -> None:
    """Write the open rows to a file that can be corrected in an editor and replayed with `replay --file`."""

    async def work() -> int:
        async with running(Settings.from_environment(data)) as platform, platform.db.transaction() as tx:
            rows = quarantine_store.rows(tx, system=system, reason=reason)
            return await quarantine.export(file, rows)

    console.note(f"Wrote {console.run(work()):,} rows to {file}.")


@app.command("dismiss")
def dismiss_command(
    ids: Annotated[list[int], typer.Argument(help="Numbers of rows in quarantine.")],
    reason: Annotated[str, typer.Option(help="Why they are not needed.")],
    data: DataOption = None,
) -> None:
    """Settle rows that are not to be loaded; they stay on record with the reason."""

    async def work() -> int:
        async with running(Settings.from_environment(data)) as platform:
            await _chosen(platform, ids, None, None, state=None)
            async with platform.db.transaction() as tx:
                return await quarantine_store.settle(tx, ids, "dismissed", reason)

    console.note(f"Dismissed {console.run(work()):,} rows.")


async def _chosen(
    platform: Platform,
    ids: Sequence[int],
    system: str | None,
    reason: Reason | None,
    *,
    state: str | None = "open",
) -> list[QuarantinedRow]:
    """The rows asked for. Raises `NotFound` for an id that is not there."""
    wanted = None if ids else state
    async with platform.db.transaction() as tx:
        found = quarantine_store.rows(tx, system=system, reason=reason, state=wanted, ids=ids or None)
        rows = [row async for row in found]
    missing = sorted(set(ids) - {row.quarantine_id for row in rows})
    if missing:
        raise NotFound(f"no row {missing[0]} in quarantine", hint="See `suzani quarantine list --state all`.")
    return rows
