from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from suzani.identity import resolve
from suzani.identity.models.file import Model
from suzani.identity.models.store import model_of_run
from suzani.infra.platform import Platform
from suzani.kernel import NotFound
from suzani.main import app
from tests.identity.models.test_report import MODEL
from tests.identity.resolving.test_service import add, records_of_town


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["model", *(str(argument) for argument in arguments)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.json"
    path.write_text(MODEL.to_json(), "utf-8")
    return path


def test_show_prints_fields_levels_and_weights(file: Path) -> None:
    result = run("show", file)
    assert result.exit_code == 0
    for word in ("phone", "same ending", "exact", "+6.13", "█", "1 in 100"):
        assert word in result.stdout


def test_show_as_json_is_one_object(file: Path) -> None:
    data = json.loads(run("show", file, "--json").stdout)
    assert [field["name"] for field in data["fields"]] == ["sex", "phone"]


def test_equal_models_exit_with_0_and_different_ones_with_1(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(replace(MODEL, prior=0.05).to_json(), "utf-8")
    assert run("diff", file, file).exit_code == 0
    result = run("diff", file, other)
    assert result.exit_code == 1
    assert "prior: +2.38 bits" in result.stdout
    data = json.loads(run("diff", file, other, "--json").stdout)
    assert data["equal"] is False
    assert data["prior_bits"] == pytest.approx(2.3814, abs=1e-3)


def test_files_of_version_1_are_read(tmp_path: Path) -> None:
    data = json.loads(MODEL.to_json()) | {"version": 1}
    del data["interactions"], data["calibration"]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(data), "utf-8")
    assert run("show", path).exit_code == 0


def test_a_model_goes_to_splink_and_back(file: Path, tmp_path: Path) -> None:
    settings, back = tmp_path / "splink.json", tmp_path / "back.json"
    exported = run("export", file, "--splink", settings)
    assert exported.exit_code == 0
    for word in ("households", "interactions", "calibration", "unique_id"):
        assert word in exported.stderr
    imported = run("import", settings, "--out", back)
    assert imported.exit_code == 0
    assert "taken as phone" in imported.stderr
    found = Model.from_json(back.read_text("utf-8"))
    assert {field.name: field.m for field in found.fields}["phone"] == pytest.approx(MODEL.fields[1].m)


def test_a_fields_file_says_what_splinks_columns_are(file: Path, tmp_path: Path) -> None:
    settings, fields, back = (tmp_path / name for name in ("s.json", "f.yaml", "b.json"))
    run("export", file, "--splink", settings)
    settings.write_text(settings.read_text("utf-8").replace("phone", "xyz"), "utf-8")
    left_out = run("import", settings, "--out", back)
    assert "xyz" in left_out.stderr
    assert "left out" in left_out.stderr
    fields.write_text("xyz: phone\n", "utf-8")
    assert "taken as phone" in run("import", settings, "--out", back, "--fields", fields).stderr


@pytest.mark.parametrize("command", ["show", "diff", "export", "import"])
@pytest.mark.parametrize("text", [None, "{", "{}", '{"format": "suzani-identity-model", "version": 9}'])
def test_a_bad_file_is_named_and_exits_with_2(command: str, text: str | None, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    if text is not None:
        bad.write_text(text, "utf-8")
    out = tmp_path / "o"
    more: dict[str, list[object]] = {"diff": [bad], "export": ["--splink", out], "import": ["--out", out]}
    result = run(command, bad, *more.get(command, []))
    assert result.exit_code == 2
    assert "bad.json" in result.stderr
    assert not out.exists()


def test_a_result_that_could_not_be_written_is_refused_at_once(file: Path, tmp_path: Path) -> None:
    assert run("export", file, "--splink", tmp_path / "none" / "s.json").exit_code == 3
    assert run("export", file, "--splink", tmp_path).exit_code == 2


def test_a_file_and_a_run_together_are_refused(file: Path) -> None:
    assert run("show", file, "--run", 1).exit_code == 2


async def test_the_platforms_model_is_that_of_its_last_run(platform: Platform) -> None:
    async with platform.db.transaction() as tx:
        with pytest.raises(NotFound, match="no resolved run"):
            await model_of_run(tx)
    records, _ = records_of_town()
    await add(platform, records)
    first = await resolve(platform)
    second = await resolve(platform)
    async with platform.db.transaction() as tx:
        number, model = await model_of_run(tx)
        earlier, _ = await model_of_run(tx, first.run_id)
        with pytest.raises(NotFound, match="99999"):
            await model_of_run(tx, 99_999)
    assert (number, earlier) == (second.run_id, first.run_id)
    assert model.records == len(records)
