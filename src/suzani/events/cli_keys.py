"""Commands of keys: `suzani key create | list | revoke`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from suzani.events.intake import ROLE
from suzani.infra import console
from suzani.infra.commands import DataOption, JsonOption
from suzani.infra.keys import ROLES, Key, create_key, list_keys, revoke_key
from suzani.infra.platform import running
from suzani.infra.settings import Settings
from suzani.kernel import InvalidInput, NotFound, now

app = typer.Typer(no_args_is_help=True, help="Keys of programs: those that send events, those that read.")


@app.command("create")
def create_command(
    source: Annotated[str | None, typer.Option(help="Send events as this source: web, app, cards, …")] = None,
    channel: Annotated[str, typer.Option(help="The channel of its events; else the source's name.")] = "",
    rate: Annotated[int, typer.Option(min=0, help="Events a second at most; 0: no limit.")] = 0,
    role: Annotated[str, typer.Option(help=f"What the key is for: {', '.join(ROLES)}.")] = ROLE,
    name: Annotated[str | None, typer.Option(help="Who bears it, for other roles.")] = None,
    personal: Annotated[
        bool, typer.Option("--personal", help="A reader sees personal values in full, not masked.")
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and print it, once: only its digest is kept."""

    async def work() -> tuple[Key, str]:
        if role not in ROLES:
            raise NotFound.among("role", role, ROLES)
        bearer = source if role == ROLE else name
        if bearer is None:
            missing = "--source" if role == ROLE else "--name"
            raise InvalidInput(f"a key of role {role} needs {missing}", hint="It says whose key it is.")
        sending: dict[str, Any] = {"channel": channel or bearer, "rate": rate}
        about = sending if role == ROLE else {"personal": personal}
        async with running(Settings.from_environment(data)) as platform, platform.db.transaction() as tx:
            return await create_key(tx, role, bearer, now(), about)

    key, secret = console.run(work())
    if as_json:
        console.print_json(asdict(key) | {"key": secret})
        return
    typer.echo(secret)
    console.note(f"Key {key.key_id}: it may {ROLES[key.role].may} ({key.name}). It is not shown again.")


@app.command("list")
def list_command(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Every key: whose it is, what it may do, how it begins."""

    async def work() -> list[Key]:
        async with running(Settings.from_environment(data)) as platform, platform.db.transaction() as tx:
            return await list_keys(tx)

    keys = console.run(work())
    if as_json:
        console.print_json([asdict(key) for key in keys])
        return
    rows = [
        [str(key.key_id), key.role, key.name, f"{key.hint}…", _settings(key), f"{key.created_at:%Y-%m-%d}",
         f"{key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else ""]
        for key in keys
    ]  # fmt: skip
    console.print_table("Keys", ["id", "role", "name", "begins", "settings", "made", "taken back"], rows)


def _settings(key: Key) -> str:
    return ", ".join(f"{name} {value}" for name, value in key.settings.items() if value)


@app.command("revoke")
def revoke_command(
    key_id: Annotated[int, typer.Argument(help="The id that `suzani key list` shows.")],
    data: DataOption = None,
) -> None:
    """Take a key back; it is refused everywhere within ten seconds."""

    async def work() -> Key:
        async with running(Settings.from_environment(data)) as platform, platform.db.transaction() as tx:
            return await revoke_key(tx, key_id, now())

    key = console.run(work())
    console.note(f"Key {key.key_id} of {key.name} is refused from now on.")
