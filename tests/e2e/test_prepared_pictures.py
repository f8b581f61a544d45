"""Prepared pictures across runs: a second run over the same pictures takes them from where the first one kept them."""

import stat
from pathlib import Path

import yaml

from tests.e2e.conftest import Stage
from vqa_tui.domain.run import Phase
from vqa_tui.operations.planning import RunRequest


def kept(folder: Path) -> dict[Path, int]:
    """Return the entries of the cache with their inodes: a file written anew has another one."""
    return {path: path.stat().st_ino for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")}


async def test_a_later_run_finds_what_an_earlier_one_prepared(stage: Stage) -> None:
    dataset = await stage.pictures(6)
    recipe = stage.folder / "small.yaml"
    fields = {
        "name": "small",
        "prompt": {"user": "What is it?"},
        "reply": {"kind": "text", "question": "What is it?"},
        "picture": {"max_side": 16},
    }
    recipe.write_text(yaml.safe_dump(fields))
    endpoint = stage.endpoint()
    request = RunRequest(dataset, str(recipe), endpoint, pilot=0)
    folder = stage.workspace.paths.picture_cache
    first = await stage.run(request)
    assert (await stage.until_ended(first)).phase is Phase.DONE
    entries = kept(folder)
    assert len(entries) == 6
    assert {stat.S_IMODE(path.stat().st_mode) for path in entries} == {0o600}
    second = await stage.run(request)
    view = await stage.until_ended(second)
    assert view.phase is Phase.DONE and view.counts.done == 6
    assert kept(folder) == entries
