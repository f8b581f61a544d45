"""Starting a training: what it is made of, wherever the person stands who names it."""

from pathlib import Path

import pytest

from tests.exporters.written import pictures_with_pairs, write_export
from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training_files import HELD_OUT, ROWS
from vqa_tui.domain.training_row import TrainingRow
from vqa_tui.operations import training_start
from vqa_tui.operations.trainings import list_trainings
from vqa_tui.operations.workspace import Workspace, open_workspace


@pytest.mark.parametrize("form", ["qwen", "llava", "stcray-flat"])
async def test_pictures_of_data_that_is_named_from_here_are_found_from_anywhere(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trainer works in its own folder."""

    without_a_process(monkeypatch)
    (tmp_path / "data").mkdir()
    write_export(tmp_path / "data" / "x.jsonl", form, pictures_with_pairs(tmp_path / "data", 4))
    monkeypatch.chdir(tmp_path)
    async with open_workspace(tmp_path / "work") as workspace:
        rows = await started(workspace, Path("data/x.jsonl"))
    pictures = [Path(path) for row in rows for path in row.pictures]
    assert pictures and all(path.is_absolute() and path.is_file() for path in pictures)


@pytest.mark.parametrize("name", ["5", "", "a b", "a/b", "..", "-x", "a\nb", "a\x1b[1m", "x" * 81])
async def test_what_cannot_be_a_name_is_refused_before_anything_is_made(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_a_process(monkeypatch)
    write_export(tmp_path / "x.jsonl", "qwen", pictures_with_pairs(tmp_path, 4))
    config = TrainingConfig(name="x", model="tiny")
    async with open_workspace(tmp_path / "work") as workspace:
        with pytest.raises(VqaError, match="cannot be the name of a training"):
            await training_start.start_training(workspace, config, data=tmp_path / "x.jsonl", name=name)
        assert await list_trainings(workspace) == ()


async def test_the_name_of_the_configuration_makes_names_of_trainings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_a_process(monkeypatch)
    write_export(tmp_path / "x.jsonl", "qwen", pictures_with_pairs(tmp_path, 4))
    longest = "x" * 80
    async with open_workspace(tmp_path / "work") as workspace:
        for _ in range(3):
            await started(workspace, tmp_path / "x.jsonl", name=longest)
        names = {each.id: each.name for each in await list_trainings(workspace)}
        assert names == {1: longest, 2: "x" * 78 + "-2", 3: "x" * 78 + "-3"}
        with pytest.raises(VqaError, match="'5' cannot be the name of a training"):
            await started(workspace, tmp_path / "x.jsonl", name="5")


def without_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed here, a training is made; nothing is started for it."""

    async def unstarted(*_arguments: object, **_named: object) -> None:
        """No process: what was made is looked at."""

    monkeypatch.setattr(training_start, "_spawn", unstarted)
    monkeypatch.setattr(training_start, "_refuse_impossible", lambda *_anything: None)


async def started(workspace: Workspace, data: Path, name: str = "x") -> list[TrainingRow]:
    config = TrainingConfig(name=name, model="tiny", validation=0.3)
    made = await training_start.start_training(workspace, config, data=data)
    folder = workspace.paths.training_folder(made.id)
    return [
        TrainingRow.of_json(line)
        for name in (ROWS, HELD_OUT)
        for line in (folder / name).read_text("utf-8").splitlines()
    ]
