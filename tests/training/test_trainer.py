"""The trainer as a program: it learns, resumes as if nothing had been, stops when told, and says why it failed."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("peft", reason="needs the train extra")

from tests.training.conftest import training_folder
from vqa_tui.domain.training_events import Answered, Ended, Event, LeftOut, Looked, Saved, Started, Stepped, events
from vqa_tui.domain.training_exit import FULL_DISK

pytestmark = pytest.mark.training


def start(config: Path, *more: str, before: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "vqa_tui.training", str(config), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=before,
        start_new_session=True,
    )


def train(config: Path, *more: str, before: Callable[[], None] | None = None) -> tuple[int, str, list[Event]]:
    """Run the trainer to its end; returns the exit status, what it printed, and its events."""
    process = start(config, *more, before=before)
    said, _ = process.communicate()
    return process.returncode, said, told(config)


def told(config: Path) -> list[Event]:
    path = config.parent / "metrics.jsonl"
    return list(events(path.read_text("utf-8").splitlines())) if path.exists() else []


def losses(found: list[Event]) -> dict[int, float | None]:
    return {each.step: each.loss for each in found if isinstance(each, Stepped)}


def end(found: list[Event]) -> Ended:
    return [each for each in found if isinstance(each, Ended)][-1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    """A training of twenty steps that nothing interrupts."""
    config = training_folder(tmp_path_factory.mktemp("whole"), merge=True)
    status, said, found = train(config)
    assert status == 0 and "Warning" not in said, said
    return config, found


def test_it_learns_and_tells_what_it_does(whole: tuple[Path, list[Event]]) -> None:
    config, found = whole
    steps = losses(found)
    assert list(steps) == list(range(1, 21))
    first, last = steps[1], steps[20]
    assert first is not None and last is not None and last < first / 5
    started = next(each for each in found if isinstance(each, Started))
    assert (started.rows, started.held_out, started.total_steps, started.first_step) == (16, 4, 20, 0)
    assert 0 < started.trainable < started.parameters
    looked = [each for each in found if isinstance(each, Looked)]
    assert [each.step for each in looked] == [10, 20] and looked[1].loss is not None and looked[1].loss < 1
    assert [each.step for each in found if isinstance(each, Saved)] == [10, 20]
    assert {row for each in found if isinstance(each, Stepped) for row in each.rows} <= set(range(16))
    answered = [each for each in found if isinstance(each, Answered)]
    assert answered[-1].reference == "red circle" and answered[-1].question == "What colour is the shape?"
    assert end(found).phase == "done"
    environment = json.loads((config.parent / "environment.json").read_text("utf-8"))
    assert environment["packages"]["torch"] and environment["device"] == "CPU"
    assert not list((config.parent / "adapter").glob("*.bin")), "no pickle for those who take it"


def test_the_adapter_and_the_merged_model_answer(whole: tuple[Path, list[Event]]) -> None:
    folder = whole[0].parent
    program = f"""
from pathlib import Path
from peft import PeftModel
from transformers import AutoModelForImageTextToText
from vqa_tui.config.training import TrainingConfig
from vqa_tui.training.answering import answer
from vqa_tui.training.encoding import PictureSize, RowEncoder
from vqa_tui.training.loading import device_for, load_model, load_processor
from vqa_tui.training.rows import RowFile
folder = Path({str(folder)!r})
config = TrainingConfig.model_validate_json((folder / "config.json").read_text())
base, processor = load_model(config, device_for(config))
rows = RowFile(folder / "rows.jsonl")
tuned = PeftModel.from_pretrained(base, str(folder / "adapter")).eval()
encoder = RowEncoder(processor, PictureSize(None, 50176), None)
print([answer(tuned, encoder, rows[n], most_tokens=8) for n in range(4)])
merged = AutoModelForImageTextToText.from_pretrained(str(folder / "merged")).eval()
encoder = RowEncoder(load_processor(str(folder / "merged"), vision=True), PictureSize(None, 50176), None)
print([answer(merged, encoder, rows[n], most_tokens=8) for n in range(4)])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    tuned, merged = done.stdout.splitlines()
    assert tuned == merged == str(["red circle", "green square", "blue circle", "yellow square"])


def test_resumed_is_as_if_nothing_had_been(whole: tuple[Path, list[Event]], tmp_path: Path) -> None:
    """Twenty steps are ten, an end, and ten more: to the fourth decimal."""
    config = training_folder(tmp_path / "twice", max_steps=10)
    assert train(config)[0] == 0
    (config.parent / "checkpoints" / "checkpoint-15").mkdir()  # half written: nothing in it
    training_folder(tmp_path / "twice", max_steps=20)
    status, said, found = train(config, "--resume")
    assert status == 0, said
    without = losses(whole[1])
    assert losses(found) == {step: pytest.approx(loss, abs=1e-4) for step, loss in without.items()}
    assert [each.first_step for each in found if isinstance(each, Started)] == [0, 10]
    environments = {path.name for path in config.parent.glob("environment*")}
    assert environments == {"environment.json", "environment-1.json"}


def test_a_checkpoint_that_was_cut_off_is_passed_over_and_taken_away(tmp_path: Path) -> None:
    config = training_folder(tmp_path, max_steps=10, save_every=5)
    assert train(config)[0] == 0
    cut = tmp_path / "checkpoints" / "checkpoint-10" / "trainer_state.json"
    cut.write_bytes(b"")
    training_folder(tmp_path, max_steps=11, save_every=5)
    status, said, found = train(config, "--resume")
    assert status == 0, said
    assert [each.first_step for each in found if isinstance(each, Started)] == [0, 5]
    # All steps are done, within an epoch; what came after them was not.
    adapter = tmp_path / "adapter" / "adapter_model.safetensors"
    learned = adapter.read_bytes()
    adapter.unlink()
    status, said, found = train(config, "--resume")
    assert status == 0 and end(found).step == 11 and adapter.read_bytes() == learned, said
    assert not (tmp_path / "checkpoints" / "checkpoint-12").exists()


def test_told_to_stop_it_finishes_the_step_and_saves(tmp_path: Path) -> None:
    config = training_folder(tmp_path, max_steps=5_000, save_every=5_000)
    process = start(config)
    wait_for(lambda: len(losses(told(config))) > 2, process)
    (tmp_path / "stop").touch()
    said, _ = process.communicate()
    last = end(told(config))
    assert process.returncode == 0 and last.phase == "stopped", said
    assert (tmp_path / "checkpoints" / f"checkpoint-{last.step}" / "trainer_state.json").is_file()
    assert not (tmp_path / "adapter").exists()


def test_corrupt_huge_and_narrow_pictures_are_left_out_and_told_once(tmp_path: Path) -> None:
    config = training_folder(tmp_path, max_steps=8, held_out=0)
    (tmp_path / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    Image.new("1", (24_000, 20_000)).save(tmp_path / "5.png")  # a small file of 480 million pixels
    Image.new("RGB", (3_000, 10)).save(tmp_path / "6.png")  # Qwen's processor takes no sides of 1 to 300
    status, said, found = train(config)
    assert status == 0, said
    left_out = sorted((each.row, each.key) for each in found if isinstance(each, LeftOut))
    assert left_out == [(3, "3.png"), (5, "5.png"), (6, "6.png")]
    assert not {3, 5, 6} & {row for each in found if isinstance(each, Stepped) for row in each.rows}


def test_where_no_picture_can_be_read_it_says_so_and_prints_no_traceback(tmp_path: Path) -> None:
    """The process that makes batches finds out, and the trainer tells."""
    config = training_folder(tmp_path)
    for path in tmp_path.glob("*.png"):
        path.write_bytes(b"\x89PNG\r\n\x1a\n broken")
    status, said, found = train(config)
    assert status == 1 and "Traceback" not in said, said
    assert "64 rows in a row cannot be learned from" in end(found).reason and "vqa-tui validate" in end(found).reason


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process makes batches")
def test_a_killed_maker_of_batches_is_told_in_words(tmp_path: Path) -> None:
    config = training_folder(tmp_path, max_steps=5_000, save_every=5_000, held_out=0)
    process = start(config)
    wait_for(lambda: len(losses(told(config))) > 2, process)
    makers = children(process.pid)
    for each in makers:
        os.kill(int(each), signal.SIGKILL)
    said, _ = process.communicate()
    assert makers and process.returncode == 1, said
    assert "a process that makes batches was ended from outside" in end(told(config)).reason, said


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process")
def test_a_full_disk_during_a_checkpoint_says_so_and_leaves_whole_ones(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the optimizer's state is the largest that is written.

    It holds for shared memory too, where the pictures of a batch find no room and go another way.
    """
    config = training_folder(tmp_path, max_steps=5_000, save_every=10, samples=0, held_out=0)

    def bear_the_limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    process = start(config, before=bear_the_limit)
    wait_for(lambda: any(isinstance(each, Saved) for each in told(config)), process)
    for each in (process.pid, *map(int, children(process.pid))):
        resource.prlimit(each, resource.RLIMIT_FSIZE, (150_000, 150_000))
    said, _ = process.communicate()
    found = told(config)
    assert process.returncode == FULL_DISK and "the disk is full" in said and "Traceback" not in said, said
    assert end(found).phase == "failed" and "Free some space and resume" in end(found).reason
    left = sorted((tmp_path / "checkpoints").iterdir(), key=lambda path: int(path.name.rpartition("-")[2]))
    saved = [each.path for each in found if isinstance(each, Saved)]
    assert left and [f"checkpoints/{path.name}" for path in left] == saved[-len(left) :]
    at = int(left[-1].name.rpartition("-")[2])
    training_folder(tmp_path, max_steps=at + 2, save_every=10, samples=0, held_out=0)
    assert train(config, "--resume")[0] == 0
    assert [each.first_step for each in told(config) if isinstance(each, Started)] == [0, at]


@pytest.mark.skipif(sys.platform != "linux", reason="the size of a process is read from /proc")
def test_out_of_memory_says_what_to_lower(tmp_path: Path) -> None:
    """The libraries take about 2 GB of addresses before the first picture; the cap stands a little above what they
    took, so that it is a picture of 25 million pixels that finds no room."""
    config = training_folder(tmp_path, max_steps=5, max_pixels=None, batch_size=8)
    for path in tmp_path.glob("*.png"):
        Image.new("RGB", (5_000, 5_000), "red").save(path)
    program = """
import re, resource, sys
from pathlib import Path
import vqa_tui.training.session
from vqa_tui.training.__main__ import main
taken = int(re.search(r"VmSize:\\s+(\\d+) kB", Path("/proc/self/status").read_text()).group(1)) * 1024
resource.setrlimit(resource.RLIMIT_AS, (taken + (200 << 20),) * 2)
sys.exit(main([sys.argv[1]]))
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(config)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 1, done.stderr
    reason = end(told(config)).reason
    assert "out of memory" in reason and "max_pixels" in reason, done.stderr


def test_bad_input_ends_with_2_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"name": "x", "model": "tiny", "epochss": 3}', "utf-8")
    status, said, _ = train(tmp_path / "config.json")
    assert status == 2 and "epochss" in said and "Traceback" not in said


def test_a_model_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    config = training_folder(tmp_path, model=str(tmp_path / "nowhere"))
    status, said, found = train(config)
    assert status == 1 and "cannot be loaded" in end(found).reason and "`model:` takes a folder" in said
    assert "Traceback" not in said


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()


def wait_for(what: Callable[[], Any], process: subprocess.Popen[str]) -> None:
    while not what():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
