"""`vqa-tui settings`: shown, changed, refused, and every key by its id."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from vqa_tui.cli.main import app


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VQA_CONFIG", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def typed(*words: str) -> Result:
    result = CliRunner().invoke(app, ["settings", *words], prog_name="vqa-tui")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def test_what_is_set_is_shown(tmp_path: Path) -> None:
    assert typed("set", "bell=false", "theme=nord").exit_code == 0
    shown = json.loads(typed("show", "--json").stdout)
    assert (shown["bell"], shown["theme"], shown["pictures"]) == (False, "nord", "auto")
    assert shown["settings_file"] == str(tmp_path / "settings.yaml")
    assert "nord" in typed("show").stdout


def test_what_cannot_be_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    for words, said in (
        (["bell=maybe"], "bell"),
        (["bel=true"], "bel"),
        (["bell"], "KEY=VALUE"),
        (["theme=nord", "pictures=big"], "pictures"),
        (["theme=nrod"], "there is no theme 'nrod'; did you mean nord?"),
        (["theme="], "dracula"),
        (["theme=nord", "theme=dracula"], "theme is set twice: to nord and to dracula"),
        (['command=rm "'], "no closing quotation"),
    ):
        refused = typed("set", *words)
        assert refused.exit_code == 2 and said in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_told_as_it_is_here(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = CliRunner().invoke(
        app, ["settings", "set", "bell=false"], prog_name="vqa-tui", env={"VQA_CONFIG": str(tmp_path / "file" / "x")}
    )
    assert refused.exit_code == 1 and "cannot be written" in refused.stderr
    assert "Nothing was changed." in refused.stderr and "until you leave" not in refused.stderr


def test_keys_are_listed_with_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "keys.yaml").write_text("run.pause: f5\n")
    listed = {each["id"]: each for each in json.loads(typed("keys", "--json").stdout)}
    assert (listed["run.pause"]["keys"], listed["run.pause"]["usual"]) == ("f5", "p")
    assert "app.help" in typed("keys").stdout
    (tmp_path / "keys.yaml").write_text("run.pauze: f5\n")
    refused = typed("keys")
    assert refused.exit_code == 2 and "keys.yaml:1" in refused.stderr
