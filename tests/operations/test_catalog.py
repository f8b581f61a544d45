"""Choosing and checking recipes and endpoints, with the real embedded endpoint as the one that works."""

import sys
from pathlib import Path

import pytest

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations import catalog
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.paths import find_workspace

OWN = """\
name: own
description: mine
base_url: http://127.0.0.1:1/v1
model: m
keys:
  - name: main
    env: OWN_KEY
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "endpoints").mkdir()
    (tmp_path / "endpoints" / "own.yaml").write_text(OWN, "utf-8")
    (tmp_path / "endpoints" / "broken.yaml").write_text("name: broken\n", "utf-8")
    assert find_workspace(tmp_path).root.parent == tmp_path
    return tmp_path


async def test_lists_hold_what_is_shipped_and_what_is_beside_the_workspace(folder: Path) -> None:
    async with open_workspace(folder) as workspace:
        entries = {entry.name: entry for entry in catalog.endpoints(workspace)}
        assert {"own", "broken", "embedded", "gemini"} <= entries.keys()
        assert entries["own"].description == "mine" and entries["own"].path.parent == folder / "endpoints"
        assert "this key is required" in entries["broken"].problem
        assert catalog.endpoint(workspace, "own").model == "m"
        for entry in catalog.recipes(workspace):
            assert entry.problem == ""
            assert catalog.recipe(workspace, entry.name).name == entry.name
        with pytest.raises(VqaError, match="no recipe named"):
            catalog.recipe(workspace, "nothing-like-it")


async def check_embedded(workspace: Workspace, *bad_keys: str) -> dict[tuple[str, str], bool]:
    text = "name: x\nkind: embedded\nmodel: vqa-embedded-1\nkeys: [{name: a}, {name: b}]\n"
    path = workspace.paths.root.parent / "x.yaml"
    path.write_text(f"{text}embedded: {{latency_ms: 1, bad_keys: [{', '.join(bad_keys)}]}}\n", "utf-8")
    report = await catalog.check_endpoint(workspace, str(path), environ={})
    assert report.ok is not bool(bad_keys)
    return {(step.key, step.name): step.ok for step in report.steps}


async def test_the_embedded_endpoint_is_started_checked_and_ended(folder: Path) -> None:
    async with open_workspace(folder) as workspace:
        found = await check_embedded(workspace)
        assert found[("a", "model")] and found[("b", "usage")]
        assert (await check_embedded(workspace, "b"))[("b", "authorised")] is False
        assert await catalog.endpoint_models(workspace, "embedded", environ={}) == ["vqa-embedded-1"]


async def test_a_missing_key_and_a_dead_address(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    async with open_workspace(folder) as workspace:
        report = await catalog.check_endpoint(workspace, "own", environ={})
        assert [(step.name, step.ok) for step in report.steps] == [("key", False)]
        assert "OWN_KEY is not set" in report.steps[0].detail
        with pytest.raises(VqaError, match="no key of the endpoint own has a value: the variable OWN_KEY is not set"):
            await catalog.endpoint_models(workspace, "own", environ={})
        with pytest.raises(VqaError, match="own does not list its models: no connection") as caught:
            await catalog.endpoint_models(workspace, "own", environ={"OWN_KEY": "planted-9f8e7d"})
        assert "planted" not in str(caught.value) and caught.value.__context__ is None


async def test_a_pattern_is_not_asked_before_it_has_an_address_of_its_own(folder: Path) -> None:
    async with open_workspace(folder) as workspace:
        for name, stands_in in (("azure", "YOUR-RESOURCE"), ("vertex", "YOUR-PROJECT")):
            with pytest.raises(VqaError, match=stands_in) as caught:
                await catalog.check_endpoint(workspace, name, environ={})
            assert f"vqa-tui endpoint copy {name} my-{name}" in caught.value.hint
