"""A training that the API starts ends with its adapter where `output_dir` says, and its streams tell all of it."""

import json
from pathlib import Path

import pytest

from tests.api.conftest import JOBS, served
from tests.training.conftest import make_rows
from vqa_tui.api.actions import Actions

pytestmark = pytest.mark.training
pytest.importorskip("torch", reason="the extra `train` is not installed")


async def test_from_the_request_to_the_adapter(tmp_path: Path) -> None:
    lines = [
        {"text": "What colour is the shape?", "image": row.pictures[0], "response": row.turns[-1].text}
        for row in make_rows(tmp_path, 8)
    ]
    (tmp_path / "data.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    async with served(tmp_path, actions=Actions()) as api:
        number = await api.made(
            config="train_tiny", output_dir="models/mine", hyperparameters={"max_steps": 2, "batch_size": 2}
        )
        told = await api.ask("GET", f"{JOBS}/{number}/metrics")
        log = await api.ask("GET", f"{JOBS}/{number}/log")
        job = (await api.ask("GET", f"{JOBS}/{number}")).json
    assert job["phase"] == "done", log.text
    kinds = [json.loads(line)["event"] for line in told.text.splitlines()]
    assert (kinds[0], kinds[-1], kinds.count("step")) == ("start", "end", 2)
    assert "2 steps" in log.text
    assert (tmp_path / "models" / "mine" / "adapter_config.json").is_file()
