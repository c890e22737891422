"""Commands of segments: `segment list`, `show`, `members`, `check` and `preview`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import yaml

from suzani.infra import console
from suzani.infra.commands import DataOption, JsonOption
from suzani.infra.db import Tx
from suzani.infra.platform import running
from suzani.infra.settings import Settings
from suzani.kernel import InvalidInput, now
from suzani.segments import service
from suzani.segments.membership import Rules, load_rules
from suzani.segments.types import FactsReader, Preview
from suzani.traits import load_plan

T = TypeVar("T")

NameArgument = Annotated[str, typer.Argument(help="The segment's name.")]


def register(app: typer.Typer, reader_of: Callable[[Settings], FactsReader] | None = None) -> None:
    """Mount the commands of segments; `preview` only where what is known of subjects can be read."""
    segments = typer.Typer(no_args_is_help=True, help="Segments: groups of customers, by rules.")
    segments.command("list")(list_command)
    segments.command("show")(show_command)
    segments.command("members")(members_command)
    segments.command("check")(check_command)
    if reader_of is not None:
        segments.command("preview")(_preview_command(reader_of))
    app.add_typer(segments, name="segment")


def _rules(settings: Settings) -> Rules:
    return load_rules(settings.data_dir, load_plan(settings.data_dir))


async def _with_tx(settings: Settings, work: Callable[[Tx], Awaitable[T]]) -> T:
    async with running(settings) as platform, platform.db.transaction() as tx:
        return await work(tx)


def list_command(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List every segment with the number of its members."""
    settings = Settings.from_environment(data)
    with console.handled():
        rules = _rules(settings)
    counts = console.run(_with_tx(settings, service.counts))
    found = [
        {"name": segment.name, "title": segment.title, "members": counts.get(segment.name)}
        for segment in rules.segments
    ]
    if as_json:
        console.print_json(found)
        return
    rows = [[str(row["name"]), str(row["title"]), _count(counts.get(str(row["name"])))] for row in found]
    console.print_table(f"{len(rows)} segments", ["segment", "title", "members"], rows)


def show_command(name: NameArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Show one segment: its rule, the segments it asks about, the number of its members."""
    settings = Settings.from_environment(data)
    with console.handled():
        rules = _rules(settings)
        segment = rules.segment(name)
    members = console.run(_with_tx(settings, service.counts)).get(name)
    facts: dict[str, Any] = {
        "name": name,
        "title": segment.title,
        "rule": dict(segment.declared),
        "builds_on": sorted(segment.builds_on()),
        "members": members,
    }
    if as_json:
        console.print_json(facts)
        return
    rule = yaml.safe_dump(facts.pop("rule"), sort_keys=False, allow_unicode=True).rstrip()
    facts |= {"members": _count(members), "builds_on": ", ".join(facts["builds_on"]), "rule": rule}
    rows = [[key.replace("_", " "), str(value)] for key, value in facts.items()]
    console.print_table(f"Segment {name}", ["", ""], rows)


def members_command(
    name: NameArgument,
    after: Annotated[int, typer.Option(help="Begin after this subject.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many to show.")] = 100,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who is in a segment, and since when; a page at a time, by subject."""
    settings = Settings.from_environment(data)
    page = console.run(_with_tx(settings, lambda tx: service.members(tx, name, after=after, limit=limit)))
    if as_json:
        found = [{"subject_id": each.subject_id, "entered_at": each.entered_at} for each in page]
        console.print_json(found)
        return
    rows = [[str(each.subject_id), each.entered_at.isoformat(timespec="seconds")] for each in page]
    console.print_table(f"Segment {name}", ["subject", "since"], rows)


def check_command(data: DataOption = None) -> None:
    """Check traits and segments of the data directory; what is wrong is told, with what to do about it."""
    with console.handled():
        rules = _rules(Settings.from_environment(data))
    console.note(f"{len(rules.names)} segments are sound.")


def _preview_command(reader_of: Callable[[Settings], FactsReader]) -> Callable[..., None]:
    def preview_command(
        names: Annotated[list[str] | None, typer.Argument(help="Segments, declared or in --file.")] = None,
        file: Annotated[
            Path | None, typer.Option(help="A file like segments.yaml with segments to try.")
        ] = None,
        data: DataOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Count who would be in segments before they are put in force; nothing is changed."""
        settings = Settings.from_environment(data)
        with console.handled():
            rules, asked = _asked(_rules(settings), names or [], file)
        reader = reader_of(settings)
        found = console.run(_with_tx(settings, lambda tx: service.preview(tx, rules, asked, reader, now())))
        if as_json:
            console.print_json(found)
        else:
            _print_preview(found)

    return preview_command


def _asked(rules: Rules, names: list[str], file: Path | None) -> tuple[Rules, list[str]]:
    """The rules with those of a file, and which segments are asked about: without names all of the file."""
    if file is None:
        if not names:
            raise InvalidInput("no segment is named", hint="Name some, or give a file with --file.")
        return rules, names
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}") from error
    tried = rules.declaring(text, str(file))
    own = [
        name
        for name in tried.names
        if name not in rules.names or tried.segment(name) is not rules.segment(name)
    ]
    return tried, names or own


def _print_preview(found: Preview) -> None:
    rows = [
        [
            name,
            f"{size:,}",
            f"{size / found.subjects:.1%}" if found.subjects else "",
            _some(found.sample[name]),
        ]
        for name, size in found.sizes.items()
    ]
    console.print_table(f"Of {found.subjects:,} subjects", ["segment", "members", "share", "such as"], rows)


def _some(sample: tuple[int, ...]) -> str:
    return ", ".join(map(str, sample))


def _count(members: int | None) -> str:
    """A number of members; a segment that is not in force yet has none to tell."""
    return "not in force" if members is None else f"{members:,}"
