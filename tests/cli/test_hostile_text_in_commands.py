"""Text that we did not write reaches every table and list harmless, and every JSON document unchanged."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.cli.conftest import Place
from vqa_tui.cli.main import app
from vqa_tui.operations.workspace import open_workspace
from vqa_tui.store.runs import add_event

HOSTILE = "\x1b]0;owned\x07\x1b[2J[/x][bold]red[/bold]\x9b31m\u202eabc\u2066\x00\x7f{{1}}%s\ttab\r\nnext\x1b[31m"
FORBIDDEN = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) != "\n"]
FORBIDDEN += list("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

COMMANDS = [
    ("dataset", "list"),
    ("dataset", "show", "scans"),
    ("dataset", "items", "scans"),
    ("dataset", "problems", "scans"),
    ("recipe", "list"),
    ("recipe", "show", "strange"),
    ("endpoint", "list"),
    ("endpoint", "show", "strange"),
    ("run", "list"),
    ("run", "show", "first"),
    ("item", "list", "first"),
    ("item", "show", "first", "1"),
]


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory, finished: Place) -> Iterator[Place]:
    """A finished run with the hostile string in every place that holds foreign text."""
    folder = tmp_path_factory.mktemp("poisoned") / "place"
    shutil.copytree(finished.folder, folder)
    quoted = json.dumps(f"about {HOSTILE}")
    (folder / "recipes").mkdir()
    (folder / "recipes" / "strange.yaml").write_text(
        f"name: strange\ndescription: {quoted}\nprompt: {{user: {quoted}}}\nreply: {{kind: text, question: {quoted}}}\n"
    )
    (folder / "endpoints").mkdir()
    (folder / "endpoints" / "strange.yaml").write_text(
        f"name: strange\ndescription: {quoted}\nkind: embedded\nmodel: {quoted}\nkeys: [{{name: a, group: {quoted}}}]\n"
    )
    asyncio.run(poison(folder))
    yield Place(folder)


async def poison(folder: Path) -> None:
    async with open_workspace(folder) as workspace:
        await add_event(workspace.db, 1, "warning", HOSTILE)
        async with workspace.db.write() as transaction:
            gauges = [{"name": HOSTILE, "used": 1, "limit": 2}]
            keys = [
                {"name": HOSTILE, "group": HOSTILE, "state": HOSTILE, "reason": HOSTILE, "until": 1.0, "in_flight": 0}
                | {"gauges": gauges}
            ]
            throttles = [{"group": HOSTILE, "slots": 1, "per_second": None, "state": HOSTILE}]
            values: dict[str, Any] = {
                "hostile": HOSTILE,
                "keys": json.dumps(keys),
                "throttles": json.dumps(throttles),
            }
            truth = json.dumps({"categories": [HOSTILE], "captions": [HOSTILE]})
            for statement in (
                "UPDATE run SET model = :hostile",
                "UPDATE run_state SET phase_reason = :hostile, why_idle = :hostile, keys = :keys, "
                "throttles = :throttles",
                "UPDATE dataset SET root = :hostile, source = :hostile",
                "UPDATE attempt SET message = :hostile, raw_reply = :hostile, finish_reason = :hostile",
                "UPDATE attempt SET kind = :hostile",
                "UPDATE sample SET question = :hostile, answer = :hostile, question_type = :hostile",
                "UPDATE task SET last_kind = :hostile",
                "INSERT INTO import_problem (dataset_id, key, place, reason, seen_at) "
                "VALUES (1, :hostile, :hostile, :hostile, 0)",
            ):
                await transaction.execute(statement, values)
            await transaction.execute(
                "UPDATE item SET key = key || :hostile, path = path || :hostile, split = :hostile, truth = :truth",
                {"hostile": HOSTILE, "truth": truth},
            )


def harmless(shown: str) -> None:
    assert not [character for character in FORBIDDEN if character in shown]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_a_person_sees_is_harmless_and_not_read_as_markup(poisoned: Place, command: tuple[str, ...]) -> None:
    shown = poisoned.ok(*command)
    harmless(shown)
    assert "[/x][bold]red[/bold]" in shown


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_json_is_faithful_and_pure_ascii(poisoned: Place, command: tuple[str, ...]) -> None:
    shown = poisoned.ok(*command, "--json")
    assert shown.isascii()
    harmless(shown)
    assert any(HOSTILE in text for text in all_texts(json.loads(shown)))


def all_texts(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for key, value in document.items():
            yield from (key, *all_texts(value))
    elif isinstance(document, list):
        for value in document:
            yield from all_texts(value)


@pytest.mark.parametrize(
    "command",
    [
        ("dataset", "show", HOSTILE),
        ("dataset", "import", HOSTILE, "."),
        ("recipe", "show", HOSTILE),
        ("endpoint", "show", f"{HOSTILE}.yaml"),
        ("run", "show", HOSTILE),
        ("item", "show", "first", HOSTILE),
        ("item", "list", "first", "--status", HOSTILE),
        ("run", "set", "first", f"{HOSTILE}=1"),
        ("export", "first", HOSTILE, "out.jsonl"),
        ("run", "start", HOSTILE, "--recipe", "stcray", "--endpoint", "embedded"),
        ("run", "start", "scans", "--recipe", "stcray", "--endpoint", "embedded", "--budget", HOSTILE),
    ],
    ids=" ".join,
)
def test_an_error_that_quotes_its_input_is_harmless(poisoned: Place, command: tuple[str, ...]) -> None:
    harmless(poisoned.refused(*(part.replace("\x00", "") for part in command)))


def test_watching_is_harmless_too(poisoned: Place) -> None:
    shown = poisoned.ok("run", "watch", "first")
    harmless(shown)
    assert "[/x][bold]red[/bold]" in shown


def test_validate_is_harmless(tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    turns = [{"from": HOSTILE, "value": HOSTILE}]
    file.write_text(json.dumps({"image": HOSTILE, "conversations": turns}) + "\n")
    result = CliRunner().invoke(app, ["validate", str(file)])
    assert result.exit_code == 1, result.output
    harmless(result.output)
    assert "line 1" in result.output
