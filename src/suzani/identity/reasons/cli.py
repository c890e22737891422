"""Commands that explain: `explain why`, `explain how`, `explain why-not`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, TypeAlias

import typer

from suzani.identity.reasons.assembly import How
from suzani.identity.reasons.explaining import Why
from suzani.identity.reasons.explanations import how, why, why_not
from suzani.identity.reasons.nearest import WhyNot
from suzani.infra import console
from suzani.infra.commands import DataOption, in_transaction

Explanation: TypeAlias = Why | How | WhyNot
Say: TypeAlias = Callable[[Explanation, str], Sequence[str]]
"""Puts an explanation into sentences of a language, given by its code."""


class Language(StrEnum):
    """The languages that explanations are written in."""

    EN = "en"
    RU = "ru"
    UZ = "uz"
    KO = "ko"


RecordArgument = Annotated[str, typer.Argument(help="A record: its id, or system/key.")]
PersonArgument = Annotated[int, typer.Argument(help="The person's id.")]
LanguageOption = Annotated[Language, typer.Option(help="The language of the sentences.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the data as one JSON object.")]


def register(app: typer.Typer, say: Say) -> None:
    """Mount the commands; `say` puts explanations into words."""
    explain = typer.Typer(no_args_is_help=True, help="Why two records are one person, and why not.")
    app.add_typer(explain, name="explain")

    @explain.command("why")
    def why_command(
        a: RecordArgument,
        b: RecordArgument,
        language: LanguageOption = Language.EN,
        data: DataOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Why two records are one person, or are not: field by field, in bits."""
        _print(in_transaction(data, lambda tx: why(tx, a, b)), language, say, as_json)

    @explain.command("how")
    def how_command(
        person: PersonArgument,
        language: LanguageOption = Language.EN,
        data: DataOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """How a person came to be: the joins in order, and what was prevented."""
        _print(in_transaction(data, lambda tx: how(tx, person)), language, say, as_json)

    @explain.command("why-not")
    def why_not_command(
        person: PersonArgument,
        language: LanguageOption = Language.EN,
        data: DataOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Who else came near a person, and what keeps them apart."""
        _print(in_transaction(data, lambda tx: why_not(tx, person)), language, say, as_json)


def _print(found: Explanation, language: Language, say: Say, as_json: bool) -> None:
    if as_json:
        console.print_json(found)
        return
    for sentence in say(found, language.value):
        console.OUT.print(sentence, highlight=False, soft_wrap=True, markup=False)
