"""Judging a training: figures of both models by known libraries, the worst rows, and words for what goes wrong."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("peft", reason="needs the train extra")
pytest.importorskip("rouge_score", reason="needs the train extra")
pytest.importorskip("sacrebleu", reason="needs the train extra")

from tests.training.conftest import training_folder
from vqa_tui.domain.evaluation import EVALUATION, JUDGED_ROWS, Evaluation
from vqa_tui.domain.training_exit import FULL_DISK

pytestmark = pytest.mark.training


def run(module: str, config: Path, *more: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-P", "-m", module, str(config), *more],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a training that is done, with eight rows held out, of which one picture is broken."""
    config = training_folder(tmp_path_factory.mktemp("trained"), rows=24, held_out=8, samples=0)
    status, said = run("vqa_tui.training", config)
    assert status == 0, said
    (config.parent / "20.png").write_bytes(b"broken")
    return config


def test_base_against_tuned(trained: Path) -> None:
    status, said = run("vqa_tui.training.evaluate", trained)
    assert status == 0, said
    assert "left out: 20.png" in said and "is_gradient_checkpointing" not in said
    found = Evaluation.of_json((trained.parent / EVALUATION).read_text("utf-8"))
    assert (found.held_out, found.left_out, found.all.base.rows, found.weights) == (8, 1, 7, "adapter")
    base, tuned = found.all.base, found.all.tuned
    assert base.loss is not None and tuned.loss is not None and tuned.loss < base.loss / 5
    assert tuned.short_rows == 7 and base.exact_match == 0 and (tuned.exact_match or 0) > 0.5
    assert base.token_f1 is not None and tuned.token_f1 is not None and tuned.token_f1 > base.token_f1
    assert [each.name for each in found.by_kind] == ["colour"] and found.by_kind[0].tuned == tuned
    assert [row.tuned.token_f1 for row in found.worst] == sorted(row.tuned.token_f1 for row in found.worst)
    assert found.worst[0].question == "What colour is the shape?" and Path(found.worst[0].picture).is_file()
    lines = (trained.parent / JUDGED_ROWS).read_text("utf-8").splitlines()
    assert [json.loads(line)["row"] for line in lines] == [16, 17, 18, 19, 21, 22, 23]


def test_a_limit_takes_rows_from_everywhere_and_a_checkpoint_can_be_judged(trained: Path) -> None:
    (trained.parent / "adapter").rename(trained.parent / "elsewhere")
    try:
        status, said = run("vqa_tui.training.evaluate", trained, "--limit", "2")
    finally:
        (trained.parent / "elsewhere").rename(trained.parent / "adapter")
    assert status == 0, said
    found = Evaluation.of_json((trained.parent / EVALUATION).read_text("utf-8"))
    assert found.weights == "checkpoints/checkpoint-20" and {row.row for row in found.worst} <= {16, 20}


def test_interrupted_it_ends_by_that_signal_and_without_a_traceback(trained: Path) -> None:
    command = [sys.executable, "-P", "-m", "vqa_tui.training.evaluate", str(trained)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "row 1 of" in line:
                process.send_signal(signal.SIGINT)
                break
        said = process.stdout.read()
        assert process.wait() == -signal.SIGINT and "Traceback" not in said, said


def no_room() -> None:
    """A limit on the size of files stands for the disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))


def test_a_full_disk_says_so_and_leaves_what_was_found_before(trained: Path) -> None:
    before = {name: "before" for name in (EVALUATION, JUDGED_ROWS)}
    for name, text in before.items():
        (trained.parent / name).write_text(text)
    command = [sys.executable, "-P", "-m", "vqa_tui.training.evaluate", str(trained), "--limit", "1"]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=no_room, check=False)
    assert done.returncode == FULL_DISK and "Traceback" not in done.stderr
    assert (
        "error: the disk is full, so what was found could not be written. Free some space and evaluate" in done.stderr
    )
    assert {path.name: path.read_text() for path in trained.parent.glob("evaluation*")} == before


def test_where_the_log_has_no_room_either_the_status_says_it(tmp_path: Path) -> None:
    config = training_folder(tmp_path)
    for module in ("vqa_tui.training.evaluate", "vqa_tui.training"):
        with open(tmp_path / "log", "ab") as log:
            log.write(b"." * 200)
            log.flush()
            done = subprocess.run(
                [sys.executable, "-P", "-m", module, str(config)],
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                preexec_fn=no_room,
                check=False,
            )
        assert (module, done.returncode) == (module, FULL_DISK)


def test_all_weights_can_be_judged(tmp_path: Path) -> None:
    config = training_folder(tmp_path, lora=None, max_steps=10, samples=0)
    assert run("vqa_tui.training", config)[0] == 0
    status, said = run("vqa_tui.training.evaluate", config)
    assert status == 0, said
    found = Evaluation.of_json((tmp_path / EVALUATION).read_text("utf-8"))
    assert found.all.base.loss is not None and found.all.tuned.loss is not None
    assert found.all.tuned.loss < found.all.base.loss


def test_nothing_learned_or_held_out_is_said_in_words(tmp_path: Path) -> None:
    config = training_folder(tmp_path)
    status, said = run("vqa_tui.training.evaluate", config)
    assert status == 1 and "error: nothing was learned yet" in said and "Traceback" not in said
    (tmp_path / "held_out.jsonl").write_text("")
    status, said = run("vqa_tui.training.evaluate", config)
    assert status == 1 and "error: no row is held out" in said and "Traceback" not in said


def test_scores_are_those_of_the_libraries() -> None:
    from vqa_tui.training.scores import Said, Scorer

    scorer = Scorer()
    references = ["a knife and a gun lie at the left", "Schlüssel Müll"]
    said = [Said("a knife and a bag lie at the left", 8.0, 4), Said("Schlüssel Müll", 1.0, 2)]
    judged = [scorer.judged(each, reference) for each, reference in zip(said, references, strict=True)]
    assert judged[0].loss == 2.0 and not judged[0].exact and judged[1].exact
    assert judged[0].token_f1 == judged[0].rouge_l == pytest.approx(5 / 6)  # six words without articles, five equal
    assert judged[1].rouge_l == 1.0
    figures = scorer.figures(said, judged, references)
    assert (figures.rows, figures.short_rows, figures.exact_match, figures.loss) == (2, 1, 1.0, 1.5)
    from sacrebleu.metrics import BLEU

    expected = BLEU(effective_order=True).corpus_score([each.answer for each in said], [references]).score
    assert figures.bleu == pytest.approx(expected, abs=1e-3) and 0 < expected < 100
    assert "eff:yes" in scorer.bleu_signature
    broken = scorer.judged(Said("", float("nan"), 3), "a knife")
    assert broken.loss is None and scorer.figures([], [], []).bleu is None
