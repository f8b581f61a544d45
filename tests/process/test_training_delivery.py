"""What a training learned is copied to where a person wants it, as a whole or not at all."""

from pathlib import Path

import pytest

from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.training_output import with_free_output
from vqa_tui.process.training_delivery import deliver


@pytest.fixture
def learned(tmp_path: Path) -> Path:
    folder = tmp_path / "training"
    for name in ("adapter", "merged"):
        (folder / name).mkdir(parents=True)
        (folder / name / "weights").write_text(name)
    return folder


@pytest.mark.parametrize("there", [False, True], ids=["new", "empty"])
def test_adapter_and_merged_model_are_copied(learned: Path, tmp_path: Path, there: bool) -> None:
    output = tmp_path / "models" / "mine"
    if there:
        output.mkdir(parents=True)
    deliver(learned, output)
    assert (output / "weights").read_text() == "adapter"
    assert (output / "merged" / "weights").read_text() == "merged"
    assert [path.name for path in output.parent.iterdir()] == ["mine"]


def test_what_is_there_is_not_overwritten(learned: Path, tmp_path: Path) -> None:
    output = tmp_path / "mine"
    output.mkdir()
    (output / "weights").write_text("another's")
    with pytest.raises(OSError):
        deliver(learned, output)
    assert (output / "weights").read_text() == "another's"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "training"]


def test_a_folder_that_is_in_use_is_refused_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = TrainingConfig(name="a", model="tiny", output="out/mine")
    assert with_free_output(config).output == str(tmp_path / "out" / "mine")
    (tmp_path / "out" / "mine").mkdir(parents=True)
    assert with_free_output(config).output == str(tmp_path / "out" / "mine")
    (tmp_path / "out" / "mine" / "file").touch()
    with pytest.raises(VqaError, match="is there already"):
        with_free_output(config)
    assert with_free_output(TrainingConfig(name="a", model="tiny")).output == ""


def test_a_name_that_is_too_long_is_refused_in_words() -> None:
    with pytest.raises(VqaError, match="is no path"):
        with_free_output(TrainingConfig(name="a", model="tiny", output="x" * 300))
