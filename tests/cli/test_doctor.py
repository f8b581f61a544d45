"""What the doctor finds: on this machine, on a poor terminal, in a workspace of a newer version."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from vqa_tui.endpoints.picture_cache import PictureCache
from vqa_tui.endpoints.pictures import PreparedPicture
from vqa_tui.operations.doctor import Check, TerminalFacts, examine
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store.migrating import schema_steps

GOOD_TERMINAL = TerminalFacts(is_terminal=True, columns=200, lines=50, encoding="utf-8")
SECRET = "not-to-be-seen-anywhere"


def by_name(root: Path, environ: dict[str, str], terminal: TerminalFacts = GOOD_TERMINAL) -> dict[str, Check]:
    return {check.name: check for check in examine(WorkspacePaths(root), environ, terminal)}


def test_a_fresh_folder_is_fine_and_stays_untouched(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert "Everything that is needed is there." in place.ok("doctor")
    checks = json.loads(place.ok("doctor", "--json"))
    assert all(check["ok"] for check in checks if check["needed"])
    assert not (tmp_path / ".vqa").exists()


def test_keys_are_told_by_name_and_never_by_value(tmp_path: Path) -> None:
    found = by_name(tmp_path, {"GEMINI_API_KEY": SECRET})
    assert found["gemini"].ok
    assert not found["openai"].ok and "OPENAI_API_KEY" in found["openai"].advice
    assert found["embedded"].ok
    assert SECRET not in repr(found)


def test_a_poor_terminal_is_described_but_needed_by_nobody(tmp_path: Path) -> None:
    facts = TerminalFacts(is_terminal=False, columns=60, lines=20, encoding="ascii")
    found = by_name(tmp_path, {"NO_COLOR": "1", "TMUX": "/tmp/tmux"}, facts)
    for name in ("terminal", "size", "colours", "encoding"):
        assert not found[name].ok and not found[name].needed and found[name].advice
    assert "half blocks" in found["multiplexer"].found
    assert "multiplexer" not in by_name(tmp_path, {})


def test_a_missing_extra_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requirements = ["rich>=14", 'no-such-thing>=1 ; extra == "images"', 'pytest ; extra == "dev"']
    monkeypatch.setattr("importlib.metadata.requires", lambda _name: requirements)
    found = by_name(tmp_path, {})
    assert found["core"].ok and "rich" in found["core"].found
    assert not found["extra images"].ok and not found["extra images"].needed
    assert found["extra images"].found == "missing: no-such-thing"
    assert "pip install 'no-such-thing>=1'" in found["extra images"].advice
    assert "extra dev" not in found


def test_a_missing_core_package_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.requires", lambda _name: ["no-such-thing>=1"])
    result = Place(tmp_path).call("doctor")
    assert result.exit_code == 1
    assert "MISSING" in result.stdout and "Needed and missing: core." in result.stdout


def test_a_network_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vqa_tui.operations.doctor.file_system_of", lambda _path: "nfs4")
    assert not by_name(tmp_path, {})["disk"].ok


def test_a_workspace_is_looked_at_without_being_opened_for_writing(tmp_path: Path) -> None:
    paths = WorkspacePaths(tmp_path)
    connection = sqlite3.connect(paths.database)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    check = by_name(tmp_path, {})["database"]
    assert not check.ok and check.needed and "newer version" in check.advice
    connection = sqlite3.connect(paths.database)
    connection.execute("PRAGMA user_version = 1")
    connection.executescript(
        "CREATE TABLE a (b); CREATE INDEX c ON a (b); INSERT INTO a VALUES (hex(randomblob(9000)))"
    )
    connection.close()
    assert by_name(tmp_path, {})["database"].ok
    with open(paths.database, "r+b") as file:
        file.seek(4096)
        file.write(bytes(4096))
    assert "unreadable" in by_name(tmp_path, {})["database"].found
    paths.database.write_text("no database at all" * 100)
    assert "unreadable" in by_name(tmp_path, {})["database"].found
    assert max(version for version, _name, _sql in schema_steps()) < 999


def test_a_broken_endpoint_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "endpoints").mkdir()
    (tmp_path / "endpoints" / "mine.yaml").write_text("name: mine\nmodle: x\n")
    check = by_name(tmp_path / ".vqa", {})["mine"]
    assert not check.ok and "mine.yaml" in check.found


def test_the_size_of_the_picture_cache_is_told_once_there_is_one(tmp_path: Path) -> None:
    paths = WorkspacePaths(tmp_path)
    assert "picture cache" not in by_name(tmp_path, {})
    cache = PictureCache(paths.picture_cache, 10**9)
    cache.put("ab" * 32, PreparedPicture(bytes(1_500_000), "image/jpeg", 10, 10))
    check = by_name(tmp_path, {})["picture cache"]
    assert check.ok and not check.needed
    assert check.found.startswith("1.5 MB") and str(paths.picture_cache) in check.found
