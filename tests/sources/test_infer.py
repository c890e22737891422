from __future__ import annotations

from pathlib import Path

import pytest

from suzani.infra.platform import Platform
from suzani.kernel import InvalidInput
from suzani.sources import LoadOptions, load
from suzani.sources.check import check
from suzani.sources.infer import infer
from suzani.sources.mapping_file import parse_mapping
from tests.sources.bank_extract import LoadBank, extract, row, rows_of

NAMES = ["Каримов", "Иванова", "Петров", "Юсупова", "Ким", "Цой", "Алиев", "Сидорова"]


def unseen(delimiter: str = ";", decimal: str = ",") -> str:
    """An extract of a system that has no mapping."""
    head = (
        "CLIENT_ID LAST_NAME FIRST_NAME BIRTH_DATE GENDER PHONE EMAIL ACCOUNT_NO BALANCE CURRENCY OPEN_DATE "
    )
    head += "MARKETING_CONSENT LAST_UPDATE BRANCH"
    lines = [head.split()]
    for i in range(200):
        day = f"{i % 28 + 1:02}.{i % 12 + 1:02}"
        lines.append(
            [
                f"C{i:05}", NAMES[i % 8], ["Али", "Анна"][i % 2], f"{day}.{1950 + i % 50}", "MF"[i % 2],
                f"+99890{1000000 + i}", f"u{i}@mail.uz", f"20208{i:010}", f"{i * 1000 + 1}{decimal}50", "UZS",
                f"{day}.2019", "YN"[i % 2], f"{day}.2024 10:11:12", f"B{i % 4}",
            ]
        )  # fmt: skip
    return "\n".join(delimiter.join(line) for line in lines) + "\n"


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ";"), ("windows-1251", "\t"), ("utf-16", ","), ("utf-8-sig", "|")]
)
async def test_a_draft_loads_the_file_at_once(
    encoding: str, delimiter: str, platform: Platform, tmp_path: Path
) -> None:
    path = tmp_path / "Nova Core 2024.csv"
    path.write_bytes(unseen(delimiter, "." if delimiter == "," else ",").encode(encoding))
    draft = infer(path, "nova")
    (tmp_path / "nova.yaml").write_text(draft.text, encoding="utf-8")
    options = LoadOptions(mapping_file=str(tmp_path / "nova.yaml"))
    report = await load(platform, "nova", [path], options)
    assert (report.rows_new, report.rows_quarantined) == (200, 0)
    (record, *_) = await rows_of(platform, "select * from sources.record order by key")
    assert (record["key"], record["family_name"], record["sex"]) == ("C00000", "Каримов", "male")
    assert str(record["birth_date"]) == "1950-01-01"
    assert (record["marketing_consent"], record["extra"]) == ("granted", {"BRANCH": "B0"})
    assert record["as_of"] is not None
    (product, *_) = await rows_of(platform, "select * from sources.product order by number")
    assert (product["number"], str(product["balance"]), product["currency"]) == (
        "202080000000000",
        "1.50",
        "UZS",
    )


def test_a_draft_says_why(tmp_path: Path) -> None:
    path = tmp_path / "new system.csv"
    path.write_text(unseen(), encoding="utf-8")
    draft = infer(path)
    assert draft.system == "new_system"
    assert "key: [CLIENT_ID]  # unique and never empty in 200 rows" in draft.text
    mapping = parse_mapping(draft.text, "draft")
    assert mapping.attributes["birth_date"].formats == ("%d.%m.%Y",)
    assert mapping.products[0]["balance"].decimal == ","


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.xlsx"])
async def test_a_draft_of_other_formats_loads(name: str, platform: Platform, tmp_path: Path) -> None:
    from tests.sources.test_readers import WRITERS

    path = tmp_path / name
    next(write for ending, write in WRITERS.values() if name.endswith(ending))(path)
    (tmp_path / "a.yaml").write_text(infer(path).text, encoding="utf-8")
    report = await load(platform, "a", [path], LoadOptions(mapping_file=str(tmp_path / "a.yaml")))
    assert (report.rows_new, report.rows_quarantined) == (3, 0)


def test_a_file_without_rows_cannot_be_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id;name\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="no rows"):
        infer(path)


async def test_a_check_finds_what_a_load_would_find(
    platform: Platform, load_bank: LoadBank, tmp_path: Path, mapping: object
) -> None:
    text = extract(row(1), row(2, BORN="x"), row(2), row(""))
    report = await load_bank(text)
    assert report.rows_quarantined == 2
    found = check(mapping, tmp_path / "bank0.csv")  # type: ignore[arg-type]
    assert (found.rows, found.usable, found.products) == (4, 2, 2)
    assert found.refused == {"wrong_type": 1, "missing_key": 1}
    assert found.examples[0].row in (3, 5)
    assert found.filled["family_name"] == 2
