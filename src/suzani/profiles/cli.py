"""Commands of profiles: `profiles rebuild`, `profiles show`, `search`, `audit`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from suzani.infra import console
from suzani.infra.commands import DataOption, JsonOption
from suzani.infra.db import Tx
from suzani.infra.platform import running
from suzani.infra.settings import Settings
from suzani.kernel import now
from suzani.profiles.auditing import audit
from suzani.profiles.customers import customer
from suzani.profiles.rebuilding import rebuild_all
from suzani.profiles.searching import search
from suzani.profiles.survivorship import load_survivorship
from suzani.profiles.types import Audit, Customer, Hit

T = TypeVar("T")


def register(app: typer.Typer) -> None:
    """Mount the commands of profiles."""
    profiles = typer.Typer(no_args_is_help=True, help="Golden records: build them, look at one.")
    profiles.command("rebuild")(rebuild_command)
    profiles.command("show")(show_command)
    app.add_typer(profiles, name="profiles")
    app.command("search")(search_command)
    app.command("audit")(audit_command)


async def _with_tx(settings: Settings, work: Callable[[Tx], Awaitable[T]]) -> T:
    async with running(settings) as platform, platform.db.transaction() as tx:
        return await work(tx)


def rebuild_command(data: DataOption = None) -> None:
    """Build every golden record anew; the old ones are shown until all new ones are there."""
    settings = Settings.from_environment(data)

    async def build(tx: Tx) -> int:
        survivorship = load_survivorship(settings.data_dir)
        with console.progress() as bars:
            task = bars.add_task("golden records", total=None)
            return await rebuild_all(
                tx,
                survivorship,
                now(),
                progress=lambda done, total: bars.update(task, completed=done, total=total),
            )

    persons = console.run(_with_tx(settings, build))
    console.note(f"{persons:,} golden records were built.")


def show_command(
    person: Annotated[int, typer.Argument(help="The person's id.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one customer: golden record, where each value comes from, products."""
    found = console.run(_with_tx(Settings.from_environment(data), lambda tx: customer(tx, person)))
    if as_json:
        console.print_json(found)
    else:
        _print_customer(found)


def _print_customer(found: Customer) -> None:
    rows = [
        [
            entry.attribute,
            str(entry.value),
            f"{entry.origin.system} {entry.origin.record_id}" if entry.origin else "",
            entry.rule or "",
            ", ".join(lost.value for lost in entry.lost),
        ]
        for entry in found.profile.golden
        if entry.value is not None
    ]
    title = f"Person {found.profile.person_id}: {found.profile.display_name or 'no name'}"
    console.print_table(title, ["attribute", "value", "from", "why", "did not survive"], rows)
    products = [
        [product.system, product.kind or "", product.number, _amount(product.balance, product.currency)]
        for product in found.products
    ]
    if products:
        console.print_table("Products", ["system", "kind", "number", "balance"], products)


def _amount(balance: object, currency: str | None) -> str:
    return "" if balance is None else f"{balance:,} {currency or ''}".rstrip()


def search_command(
    text: Annotated[list[str], typer.Argument(help="A name in any script, phone, e-mail, document, number.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many to show.")] = 20,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find customers by whatever is known of them."""
    words = " ".join(text)
    hits = console.run(_with_tx(Settings.from_environment(data), lambda tx: search(tx, words, limit)))
    if as_json:
        console.print_json({"query": words, "hits": [_plain(hit) for hit in hits]})
        return
    if not hits:
        console.note(f"Nobody found for {words!r}.")
        return
    rows = [
        [
            str(hit.person_id),
            hit.display_name or "",
            str(hit.birth_date or ""),
            ", ".join(hit.systems),
            ", ".join(f"{match.attribute} {match.value}" for match in hit.matches),
        ]
        for hit in hits
    ]
    console.print_table(f"{len(hits)} found", ["person", "name", "born", "systems", "matched"], rows)


def _plain(hit: Hit) -> dict[str, object]:
    matches = [
        {"attribute": match.attribute, "value": match.value, "sounds_alike": match.sounds_alike}
        for match in hit.matches
    ]
    return {name: getattr(hit, name) for name in Hit.__slots__} | {"matches": matches}


def audit_command(data: DataOption = None, as_json: JsonOption = False) -> None:
    """What resolution made of the records: customers before, people after, quality and consent."""
    found = console.run(_with_tx(Settings.from_environment(data), audit))
    if as_json:
        console.print_json(found)
    else:
        _print_audit(found)


def _print_audit(found: Audit) -> None:
    facts = [
        ["source records", f"{found.records:,}"],
        ["persons", f"{found.persons:,}"],
        ["duplicates", f"{found.duplicate_share:.1%} of records"],
        ["not on a profile", f"{found.unresolved_records:,} records"],
        ["products", f"{found.products:,}"],
        *[[f"consent {count.name}", f"{count.count:,} persons"] for count in found.consent],
        *[[f"quarantine {count.name}", f"{count.count:,} rows"] for count in found.quarantine],
    ]
    console.print_table("Identity audit", ["", ""], facts)
    rows = [[count.name, f"{count.count:,}"] for count in found.records_by_system]
    console.print_table("Records by system", ["system", "records"], rows)
    sizes = [[str(size.size), f"{size.persons:,}"] for size in found.by_systems]
    console.print_table("Persons by number of systems", ["systems", "persons"], sizes)
