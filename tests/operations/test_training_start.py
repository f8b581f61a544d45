"""Starting a training: what it is made of, wherever the person stands who names it."""

from pathlib import Path

import pytest

from tests.exporters.written import pictures_with_pairs, write_export
from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.training_files import HELD_OUT, ROWS
from vqa_tui.domain.training_row import TrainingRow
from vqa_tui.operations import training_start
from vqa_tui.operations.workspace import Workspace, open_workspace


@pytest.mark.parametrize("form", ["qwen", "llava", "stcray-flat"])
async def test_pictures_of_data_that_is_named_from_here_are_found_from_anywhere(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trainer works in its own folder."""

    async def unstarted(*_arguments: object, **_named: object) -> None:
        """No process: the rows are looked at."""

    monkeypatch.setattr(training_start, "_spawn", unstarted)
    monkeypatch.setattr(training_start, "_refuse_impossible", lambda *_anything: None)
    (tmp_path / "data").mkdir()
    write_export(tmp_path / "data" / "x.jsonl", form, pictures_with_pairs(tmp_path / "data", 4))
    monkeypatch.chdir(tmp_path)
    async with open_workspace(tmp_path / "work") as workspace:
        rows = await started(workspace, Path("data/x.jsonl"))
    pictures = [Path(path) for row in rows for path in row.pictures]
    assert pictures and all(path.is_absolute() and path.is_file() for path in pictures)


async def started(workspace: Workspace, data: Path) -> list[TrainingRow]:
    config = TrainingConfig(name="x", model="tiny", validation=0.3)
    made = await training_start.start_training(workspace, config, data=data)
    folder = workspace.paths.training_folder(made.id)
    return [
        TrainingRow.of_json(line)
        for name in (ROWS, HELD_OUT)
        for line in (folder / name).read_text("utf-8").splitlines()
    ]
