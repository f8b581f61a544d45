"""The way round: a tuned model is served by transformers and answers as an endpoint does. Needs the extra `serve`."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("peft", reason="needs the train extra")

from tests.training.test_faults import Place
from vqa_tui.domain.training_events import Ended

pytestmark = [
    pytest.mark.training,
    pytest.mark.skipif(find_spec("fastapi") is None or find_spec("uvicorn") is None, reason="needs the extra `serve`"),
]


def test_a_tuned_model_is_merged_served_and_tried(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.start("--set", "samples=0", "--set", "validation=0")
    place.wait(lambda: place.told() and isinstance(place.told()[-1], Ended))
    place.wait_until_gone()
    assert not (tmp_path / ".vqa" / "trainings" / "1" / "merged").exists()
    try:
        said = place.type("train", "serve", "1", "--with", "transformers", "--endpoint", "tuned", "--json")
        served = json.loads(said[said.index("{") :])
        assert served["model"].endswith("merged") and served["endpoint"] == "tuned"
        assert f":{place.shown()['served']['port']}/v1" in served["base_url"]
        checked = place.type("endpoint", "check", "tuned")
        assert "authorised" in checked and "tokens in" in checked
    finally:
        place.type("train", "serve", "1", "--stop")
    assert place.shown()["served"] is None
