"""Looking at trainings bit by bit: metrics and log by offset, names, rows behind a step, and what can be started."""

from pathlib import Path

import pytest

from tests.tui.made_trainings import made_course, made_row, make_training, metrics_of
from tests.tui.workshop import DONE, Workshop, opened_workshop
from vqa_tui.config.training import Launch, TrainingConfig
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.review import Judgement, Verdict
from vqa_tui.domain.training_events import Event
from vqa_tui.operations import training_choices, training_packages, trainings
from vqa_tui.operations.reviewing import reviewed_pairs
from vqa_tui.operations.training_rows import pairs_of_row, reject_pairs, training_rows
from vqa_tui.process.lock import ProcessLock
from vqa_tui.store.reviewing import judge


async def test_metrics_come_in_pieces_and_every_event_once(tmp_path: Path) -> None:
    async with opened_workshop(tmp_path) as shop:
        told = made_course(40)
        await make_training(shop, 1, "x\n", told=told)
        found: list[Event] = []
        after = 0
        while True:
            part = await trainings.training_events(shop.workspace, 1, after_bytes=after, limit_bytes=300)
            if part.read_bytes == after:
                break
            found += part.events
            after = part.read_bytes
        assert found == told and after == metrics_of(shop, 1).stat().st_size


async def test_a_log_is_read_by_offset_and_from_its_start_when_it_became_shorter(tmp_path: Path) -> None:
    async with opened_workshop(tmp_path) as shop:
        log = await make_training(shop, 1, "first\nsecond\n")
        part = await trainings.log_part(shop.workspace, 1, after_bytes=6)
        assert (part.start, part.data, part.end) == (6, b"second\n", 13)
        log.write_text("new\n")
        part = await trainings.log_part(shop.workspace, 1, after_bytes=13)
        assert (part.start, part.data) == (0, b"new\n")
        log.unlink()
        assert (await trainings.log_part(shop.workspace, 1, after_bytes=0)).data == b""


async def test_a_lock_that_is_let_go_is_something_that_moved(tmp_path: Path) -> None:
    async with opened_workshop(tmp_path) as shop:
        await make_training(shop, 1, "x\n", phase="training")
        await make_training(shop, 2, "x\n", phase="done")
        async with ProcessLock(shop.workspace.paths.training_lock(1)):
            known = await trainings.list_trainings(shop.workspace)
            assert trainings.nothing_moved(shop.workspace, known)
        assert not trainings.nothing_moved(shop.workspace, known)


async def test_a_training_is_renamed_unless_the_name_is_taken(tmp_path: Path) -> None:
    async with opened_workshop(tmp_path) as shop:
        await make_training(shop, 1, "x\n")
        await make_training(shop, 2, "x\n")
        await trainings.rename_training(shop.workspace, 1, "bags")
        assert await trainings.find_training(shop.workspace, "bags") == 1
        with pytest.raises(VqaError, match="there is a training named tiny-2 already"):
            await trainings.rename_training(shop.workspace, 1, "tiny-2")
        with pytest.raises(VqaError, match="cannot be the name of a training"):
            await trainings.rename_training(shop.workspace, 1, "12")
        with pytest.raises(VqaError, match="there is no training 9"):
            await trainings.rename_training(shop.workspace, 9, "x")


async def test_a_number_means_the_number_whatever_others_are_called(tmp_path: Path) -> None:
    async with opened_workshop(tmp_path) as shop:
        await make_training(shop, 1, "x\n")
        await make_training(shop, 2, "x\n", name="1")
        await make_training(shop, 3, "x\n", name="77")
        assert await trainings.find_training(shop.workspace, "1") == 1
        assert await trainings.find_training(shop.workspace, "2") == 2
        assert await trainings.find_training(shop.workspace, "77") == 3


async def test_rows_are_found_by_id_on_both_sides_of_the_data(tmp_path: Path) -> None:
    async with opened_workshop(tmp_path) as shop:
        await make_training(shop, 1, "x\n", rows=[made_row(0), made_row(2), made_row(20)])
        folder = shop.workspace.paths.training_folder(1)
        (folder / "held_out.jsonl").write_text(made_row(1).as_json() + "\n")
        found = await training_rows(shop.workspace, 1, [1, 2, 7])
        assert sorted(found) == [1, 2] and found[2] == made_row(2)
        assert await training_rows(shop.workspace, 1, []) == {}


async def _pair(shop: Workshop) -> int:
    await shop.dataset(2)
    await shop.run([DONE], name="bags-run")
    row = await shop.workspace.db.read_one("SELECT id FROM sample")
    assert row is not None
    return int(row["id"])


async def test_the_pair_of_a_row_is_rejected_as_a_reviewer_would(tmp_path: Path) -> None:
    async with opened_workshop(tmp_path) as shop:
        pair = await _pair(shop)
        pairs = await pairs_of_row(shop.workspace, made_row(1, pairs=(pair, 999)))
        assert [each.pair.sample.id for each in pairs] == [pair]
        assert await reject_pairs(shop.workspace, pairs) == 1
        rejected = [each.sample.id async for each in reviewed_pairs(shop.workspace, pairs[0].run_id, "rejected")]
        assert rejected == [pair]
        assert await pairs_of_row(shop.workspace, made_row(1)) == ()
        read = await pairs_of_row(shop.workspace, made_row(1, pairs=(pair,)))
        await judge(shop.workspace.db, read[0].run_id, Judgement(pair, Verdict.ACCEPTED), who="another")
        with pytest.raises(VqaError):
            await reject_pairs(shop.workspace, read)


async def test_runs_are_listed_with_what_was_said_of_their_pairs(tmp_path: Path) -> None:
    async with opened_workshop(tmp_path) as shop:
        pair = await _pair(shop)
        await reject_pairs(shop.workspace, await pairs_of_row(shop.workspace, made_row(1, pairs=(pair,))))
        await shop.run(name="empty")
        (found,) = await training_choices.runs_with_pairs(shop.workspace)
        assert (found.name, found.pairs, found.accepted, found.rejected) == ("bags-run", 1, 0, 1)


async def test_choices_say_why_they_cannot_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_packages, "find_spec", lambda name: None if name == "peft" else object())
    tiny = TrainingConfig(name="a", model="tiny")
    assert "Training needs packages that are not installed: peft. `pip install" in training_choices.why_not_here(tiny)
    monkeypatch.setattr(training_packages, "find_spec", lambda name: None if name == "unsloth" else object())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert training_choices.why_not_here(tiny) == ""
    assert "not installed" in training_choices.why_not_here(tiny.model_copy(update={"backend": "unsloth"}))
    assert training_choices.why_not_here(tiny.model_copy(update={"four_bit": True})) == ""
    two = Launch(program="torchrun", processes=2)
    assert "2 processes need a GPU each" in training_choices.why_not_here(tiny.model_copy(update={"launch": two}))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert training_choices.why_not_here(tiny.model_copy(update={"launch": two})) == ""
    assert "4 bits" in training_choices.why_not_here(tiny.model_copy(update={"four_bit": True}))
    half = tiny.model_copy(update={"precision": "fp16"})
    monkeypatch.setattr("sys.platform", "darwin")
    assert training_choices.why_not_here(half) == ""
    monkeypatch.setattr("sys.platform", "linux")
    assert "fp16 needs an NVIDIA GPU" in training_choices.why_not_here(half)
    (tmp_path / "trainings").mkdir()
    (tmp_path / "trainings" / "broken.yaml").write_text("name: other\nmodel: tiny\n")
    async with opened_workshop(tmp_path) as shop:
        found = {each.name: each for each in training_choices.training_choices(shop.workspace)}
        assert found["broken"].config is None and "the file is broken.yaml" in found["broken"].why_not
        assert found["train_tiny"].why_not == "" and found["train_vqa_rad"].why_not
        assert "NEW/config.json" in " ".join(training_choices.command_of(shop.workspace, tiny))
        changed = training_choices.changed(shop.workspace, "train_tiny", ["max_steps=null", "epochs=0.5"])
        assert (changed.max_steps, changed.epochs) == (None, 0.5)
