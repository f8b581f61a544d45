"""`demo --train`: from drawn pictures to an adapter that is loaded again, answers, and is judged."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("peft", reason="needs the train extra")
pytest.importorskip("rouge_score", reason="needs the train extra")
pytest.importorskip("sacrebleu", reason="needs the train extra")

from vqa_tui.domain.evaluation import Evaluation
from vqa_tui.domain.training_events import Ended, Stepped, events
from vqa_tui.domain.training_row import TrainingRow

pytestmark = pytest.mark.training


def test_the_demo_trains_and_judges(tmp_path: Path) -> None:
    def typed(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "vqa_tui", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=280,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    said = typed("demo", "--headless", "--train", "--images", "16")
    assert "Dataset ready for training" in said and "evaluation.json" in said
    folder = tmp_path / "demo" / ".vqa" / "trainings" / "1"
    told = list(events((folder / "metrics.jsonl").read_text("utf-8").splitlines()))
    losses = [each.loss for each in told if isinstance(each, Stepped) and each.loss is not None]
    assert len(losses) == 30 and sum(losses[-5:]) < 0.8 * sum(losses[:5])
    assert [each.phase for each in told if isinstance(each, Ended)] == ["done"]
    assert (folder / "adapter" / "adapter_model.safetensors").is_file()
    found = Evaluation.of_json((folder / "evaluation.json").read_text("utf-8"))
    assert found.weights == "adapter" and found.all.base.loss is not None and found.all.tuned.loss is not None
    assert found.all.tuned.loss < found.all.base.loss
    assert any(row.tuned.answer for row in found.worst) and found.by_kind
    rows = [TrainingRow.of_json(line) for line in (folder / "rows.jsonl").read_text("utf-8").splitlines()]
    assert all(row.pairs for row in rows) and any(row.categories for row in rows)
    shown = json.loads(typed("train", "evaluate", "1", "--last", "--json", "--workspace", "demo"))
    assert shown["all"]["tuned"]["loss"] == found.all.tuned.loss
    assert "Answered worst by the tuned model:" in typed("train", "evaluate", "1", "--last", "--workspace", "demo")
