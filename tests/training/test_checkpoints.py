"""Which checkpoints count as whole, and what becomes of those that are not."""

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("peft", reason="needs the train extra")

import torch
from safetensors.torch import save_file

from tests.training.conftest import training_folder
from tests.training.test_trainer import end, train
from vqa_tui.domain.training_events import Started
from vqa_tui.training.checkpoints import newest_checkpoint, remove_later, remove_unfinished

pytestmark = pytest.mark.training
WRITTEN = ("adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json")


def checkpoint(folder: Path, step: int) -> Path:
    """Write what the Trainer writes, but less of it."""
    made = folder / "checkpoints" / f"checkpoint-{step}"
    made.mkdir(parents=True)
    save_file({"weight": torch.ones(64)}, str(made / "adapter_model.safetensors"))
    for name in WRITTEN[1:4]:
        torch.save({"state": torch.ones(64)}, made / name)
    (made / "trainer_state.json").write_text(json.dumps({"global_step": step}, indent=2), "utf-8")
    return made


@pytest.mark.parametrize("left", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("name", WRITTEN)
def test_one_with_a_file_that_was_cut_off_is_passed_over_and_taken_away(tmp_path: Path, name: str, left: float) -> None:
    older, newer = checkpoint(tmp_path, 10), checkpoint(tmp_path, 20)
    assert newest_checkpoint(tmp_path) == newer
    whole = (newer / name).read_bytes()
    (newer / name).write_bytes(whole[: int(left * len(whole))])
    assert newest_checkpoint(tmp_path) == older
    remove_unfinished(tmp_path)
    assert older.exists() and not newer.exists()


@pytest.mark.parametrize("name", [name for name in WRITTEN if name != "rng_state.pth"])
def test_one_that_lacks_a_file_is_passed_over(tmp_path: Path, name: str) -> None:
    older, newer = checkpoint(tmp_path, 10), checkpoint(tmp_path, 20)
    (newer / name).unlink()
    assert newest_checkpoint(tmp_path) == older


def test_one_that_lacks_a_part_of_the_weights_is_passed_over(tmp_path: Path) -> None:
    made = checkpoint(tmp_path, 10)
    (made / "adapter_model.safetensors").rename(made / "model-00001-of-00002.safetensors")
    parts = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (made / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}), "utf-8")
    assert newest_checkpoint(tmp_path) is None
    save_file({"b": torch.ones(2)}, str(made / parts["b"]))
    assert newest_checkpoint(tmp_path) == made


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), MemoryError()])
def test_one_that_cannot_be_read_now_is_passed_over_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    made = checkpoint(tmp_path, 10)

    def unreadable(_path: object) -> None:
        raise error

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("vqa_tui.training.checkpoints.zipfile.ZipFile", unreadable)
        assert newest_checkpoint(tmp_path) is None
        remove_unfinished(tmp_path)
    assert newest_checkpoint(tmp_path) == made


def test_what_is_removed_is_named(tmp_path: Path) -> None:
    for step in (100, 9, 10):
        checkpoint(tmp_path, step)
    for step in (100, 9):
        (tmp_path / "checkpoints" / f"checkpoint-{step}" / "optimizer.pt").write_bytes(b"")
    assert remove_unfinished(tmp_path) == ["checkpoint-9", "checkpoint-100"]
    assert remove_unfinished(tmp_path) == []


def test_later_ones_make_place_for_those_of_steps_that_are_done_again(tmp_path: Path) -> None:
    made = [checkpoint(tmp_path, step) for step in (9, 10, 100)]
    remove_later(tmp_path, 10)
    assert [each.exists() for each in made] == [True, True, False]


def test_where_one_cannot_be_loaded_the_one_before_is(tmp_path: Path) -> None:
    """The newest is cut off; the one before it is whole, and holds no state of an optimizer."""
    config = training_folder(tmp_path, max_steps=12, save_every=4, samples=0)
    assert train(config)[0] == 0
    folder = tmp_path / "checkpoints"
    cut = folder / "checkpoint-12" / "adapter_model.safetensors"
    cut.write_bytes(cut.read_bytes()[:-100])
    torch.save({"nothing": torch.ones(4)}, folder / "checkpoint-8" / "optimizer.pt")
    shutil.copytree(folder / "checkpoint-8", tmp_path / "unreadable")
    training_folder(tmp_path, max_steps=10, save_every=4, samples=0)
    status, said, found = train(config, "--resume")
    assert status == 0 and "checkpoint-8 cannot be loaded" in said and "trying the one before" in said, said
    assert "checkpoint-12 was not written whole" in said
    assert [each for each in found if isinstance(each, Started)][-1].first_step == 4 and end(found).step == 10
    assert "param_groups" in torch.load(folder / "checkpoint-8" / "optimizer.pt"), "it was written anew"

    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "unreadable", folder / "checkpoint-8")
    status, said, found = train(config, "--resume")
    assert status == 1 and "none of its checkpoints can be loaded" in end(found).reason, said
    assert (folder / "checkpoint-8").exists()
