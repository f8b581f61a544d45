"""docs/coming-from.md: what it says to type works on sample data, and what it says is not there yet is not there.

The built-in endpoint stands in for those that need a key or a server.
"""

import asyncio
import hashlib
import itertools
import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from aiohttp import ClientSession
from PIL import Image
from typer.main import get_command
from typer.testing import CliRunner

from tests.api.seed import SEED
from tests.ego4d import kitchen
from tests.house.test_documents import commands
from vqa_tui.cli.main import app
from vqa_tui.config.load import list_recipes
from vqa_tui.domain.run import EngineState
from vqa_tui.exporters.formats import FORMATS
from vqa_tui.operations.runs import list_runs
from vqa_tui.operations.workspace import open_workspace
from vqa_tui.paths import find_workspace, shipped_configs
from vqa_tui.sources.registry import KINDS

DOCUMENT = Path(__file__).parents[2] / "docs" / "coming-from.md"
CODE = re.compile(r"`([^`]+)`")
PATIENCE_S = 60.0
NOT_YET = re.compile(r"(import|recipe|export|command) `([^`]+)`")
DOCUMENTED = {
    "STCray": """
        --annotations --images-dir --output --model --samples-per-image --api-base --rate-limit-delay
        --batch-save --max-images --validate --output-dir --use-local --num-samples --random-seed
        --structured-ratio --dry-run MODEL= SAMPLES_PER_IMAGE= API_BASE= API_KEY= OPENAI_API_KEY=
        OPENAI_API_BASE USE_CAFFEINATE= generate_vqa_gemini.sh generate_full_vqa.sh generate_vqa_text_llm.sh
        download_stcray.py train_local.py huggingface-cli
    """,
    "VQA-RAD": "vqa_rad_gemini_batch1.py api_keys md5_images md5_train BATCH_SIZE _temp.json",
    "EVUD": """
        prepare_ego4d_nlq_for_gemini.py generate_gemini_data.py prepare_ego4d_vqa_gemini_dataset.py
        --ego4d_path --ego4d_nlq_path --ego4d_output_videos_path --output_json_path
        --ego4d_aws_access_key_id --keep-local-clips --ego4d_aws_secret_access_key --ego4d_aws_region_name
        --gcs_bucket_name --gcs_project_id --gcs_location --resume --output_path --gemini_model
        --vertexai_quota --gemini_data_path
    """,
    "Notes": "cap caption describe ocr answer question detect 384 3072",
    "Model Garden": """
        create-vision-dataset --output --num-examples train-vision --base-model --dataset --output-dir
        --epochs --batch-size --max-steps /api/v1/training/jobs /training/new
    """,
}
"""The commands and options that each system's own documents name."""


def rows() -> Iterator[tuple[str, str, str]]:
    """Give the section and the first two cells of every row."""
    section = ""
    for line in DOCUMENT.read_text("utf-8").splitlines():
        if line.startswith("## "):
            section = line[3:]
        elif line.startswith("| ") and not line.startswith("| There"):
            there, here, *_ = re.split(r"(?<!\\)\|", line[1:])
            yield section, there.strip(), here.strip()


def typed_here(*, training: bool = False) -> list[str]:
    """Return what is typed here in the order of its rows: what needs PyTorch or serves without end, or the rest."""
    lines = [code for _, _, here in rows() for code in CODE.findall(here) if code.startswith("vqa-tui ")]
    return [line for line in lines if line.startswith(("vqa-tui train start", "vqa-tui api")) is training]


def with_the_built_in_endpoint(line: str) -> list[str]:
    words = shlex.split(line)
    for option, instead in (("--endpoint", "embedded"), ("--model", "vqa-embedded-1")):
        if option in words:
            words[words.index(option) + 1] = instead
    if words[1:3] == ["endpoint", "check"]:
        words[3] = "embedded"
    return [word.replace("rpm.main", "rpm.a") for word in words[1:]]


@pytest.mark.parametrize("system", DOCUMENTED)
def test_every_documented_command_and_option_has_a_row(system: str) -> None:
    there = " ".join(cell for section, cell, _ in rows() if section.startswith(system))
    assert [name for name in DOCUMENTED[system].split() if name not in there] == []


def test_every_row_says_what_to_type_or_that_it_is_not_there_yet() -> None:
    said = [(there, here) for _, there, here in rows()]
    assert len(said) > 50
    assert [row for row in said if not (CODE.search(row[1]) or "Not yet" in row[1] or row[1] == "nothing to set")] == []


def test_what_is_said_not_to_be_there_is_not_there() -> None:
    """Fails when it comes: then its row says how it is typed."""
    there = {
        "import": set(KINDS),
        "export": set(FORMATS),
        "recipe": {each.name for each in list_recipes([shipped_configs() / "recipes"])},
        "command": {name.removeprefix("vqa-tui ") for name, _ in commands(get_command(app))},
    }
    assert NOT_YET.findall("*Not yet*: command `train start`") == [("command", "train start")]
    missing = [found for _, _, here in rows() if "Not yet" in here for found in NOT_YET.findall(here)]
    assert [(what, name) for what, name in missing if name in there[what]] == []


def typed(words: list[str]) -> None:
    """Type one command into the current folder; it must work. `doctor` may find something missing."""
    result = CliRunner().invoke(app, words, prog_name="vqa-tui")
    assert result.exit_code == 0 or words == ["doctor"], f"{words}\n{result.output}"


@pytest.mark.training
def test_what_is_typed_to_train_works_with_a_tiny_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="the extra `train` is not installed")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    typed(["demo", "--headless", "--images", "12"])
    monkeypatch.chdir(tmp_path / "demo")
    export = next(line for line in typed_here() if line.endswith(" model-garden garden.jsonl"))
    stand_ins = {"vqa": "demo-stcray", "train_stcray": "train_tiny", "max_steps=100": "max_steps=1"}
    stand_ins |= {"model=Qwen/Qwen2.5-VL-3B-Instruct": "model=tiny"}
    lines = [line for line in typed_here(training=True) if line.startswith("vqa-tui train start")]
    assert len(lines) == 2
    for line in [export, *lines]:
        words = [stand_ins.get(word, word) for word in shlex.split(line)[1:]]
        for quick in ("max_steps=1", "samples=0") if line in lines else ():
            words += [] if quick in words else ["--set", quick]
        typed(words)
    assert Path("models/mine/adapter_config.json").is_file()


def test_the_jobs_api_takes_model_gardens_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command serves on a free port here, and a machine without PyTorch says so."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    typed(["demo", "--headless", "--images", "12"])
    monkeypatch.chdir(tmp_path / "demo")
    typed(["export", "demo-stcray", "model-garden", "data/vision_dataset.jsonl"])
    (line,) = [line for line in typed_here(training=True) if line.startswith("vqa-tui api")]
    words = ["0" if word == "8000" else word for word in shlex.split(line)[1:]]
    server = subprocess.Popen([sys.executable, "-P", "-m", "vqa_tui", *words], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        said = list(itertools.takewhile(lambda line: "Ctrl+C" not in line, server.stdout))
        answers = asyncio.run(ask_for_a_training(said[0].strip(), said[4].strip()))
    finally:
        server.terminate()
        server.wait(60)
    status, body = answers[0]
    if find_spec("torch") is None:
        assert (status, "vqa-tui[train]" in body) == (503, True)
    else:
        assert [status for status, _ in answers] == [201, 202, 200, 204], answers


async def ask_for_a_training(address: str, token: str) -> list[tuple[int, str]]:
    """Ask for Model Garden's own example; cancel it, follow its log to the end, and delete it."""
    jobs = f"{address}/api/v1/training/jobs"
    answers: list[tuple[int, str]] = []
    async with ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        for method, url, body in (
            ("POST", jobs, SEED),
            ("POST", f"{jobs}/1/cancel", None),
            ("GET", f"{jobs}/1/log", None),
            ("DELETE", f"{jobs}/1", None),
        ):
            async with session.request(method, url, json=body) as response:
                answers.append((response.status, await response.text()))
    return answers


async def at_rest() -> None:
    """Wait until no run of the workspace here has an engine."""
    async with open_workspace(find_workspace(None).root) as workspace:
        deadline = time.monotonic() + PATIENCE_S
        while [view for view in await list_runs(workspace) if view.engine is not EngineState.NONE]:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


def test_what_one_types_here_works_on_sample_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    typed(["demo", "--headless", "--images", "12"])
    monkeypatch.chdir(tmp_path / "demo")
    lines = list(dict.fromkeys(typed_here()))
    assert len(lines) > 35
    for line in lines:
        typed(with_the_built_in_endpoint(line))
        if line.startswith(("vqa-tui run stop", "vqa-tui run approve")):
            # An engine that is ending takes no further wish; and none is left behind.
            asyncio.run(at_rest())


def test_the_enhancement_of_vqa_rad_is_done_from_its_json_to_its_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its rows say: a request for each question, the answer with its explanation, one object by the MD5."""
    monkeypatch.chdir(tmp_path)
    asked = [("a.jpg", "Is it normal?", "No"), ("b.jpg", "how many masses are there?", 2), ("a.jpg", "Where?", "left ")]
    (tmp_path / "pictures").mkdir()
    for number, name in enumerate(("a.jpg", "b.jpg")):
        Image.new("L", (40 + number, 30), 90).save(tmp_path / "pictures" / name)
    records = [
        {"qid": qid, "phrase_type": "freeform", "image_name": name, "question": question, "answer": answer}
        for qid, (name, question, answer) in enumerate(asked)
    ]
    (tmp_path / "rad.json").write_text(json.dumps(records))
    typed(["dataset", "import", "vqa-rad", "rad.json", "--images", "pictures", "--name", "rad"])
    typed(["run", "start", "rad", "--recipe", "vqa-rad", "--endpoint", "embedded", "--name", "enhanced", "--yes"])
    typed(["export", "enhanced", "vqa-rad-enhanced", "enhanced.json"])
    typed(["validate", "enhanced.json"])
    members = json.loads((tmp_path / "enhanced.json").read_text("utf-8"))
    pairs = {
        member["image_path"]: [
            (pair["question"], pair["original_answer"], pair["descriptive_answer"].partition(" Explanation: ")[0])
            for pair in member["qa_pairs"]
        ]
        for member in members.values()
    }
    assert pairs == {
        "pictures/a.jpg": [("Is it normal?", "No", "No."), ("Where?", "left", "Left.")],
        "pictures/b.jpg": [("how many masses are there?", "2", "2.")],
    }
    for digest, member in members.items():
        with Image.open(tmp_path / member["image_path"]) as picture:
            assert digest == hashlib.md5(picture.tobytes(), usedforsecurity=False).hexdigest()
            assert member["image_info"]["size"] == list(picture.size)


def test_what_is_typed_for_ego4d_works_on_drawn_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of EVUD whose commands name a FOLDER, and then its export: from the queries to the file with clips."""
    pytest.importorskip("av", reason="the extra `video` is not installed")
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
    monkeypatch.chdir(tmp_path)
    folder = kitchen(tmp_path / "ego")
    bucket = fsspec.filesystem("memory")
    known = json.loads((folder / "ego4d.json").read_text())
    for video in known["videos"]:
        video["s3_path"] = f"memory://ego4d/{video['video_uid']}.mp4"
        bucket.put_file(str(folder / "full_scale" / f"{video['video_uid']}.mp4"), video["s3_path"])
    (folder / "ego4d.json").write_text(json.dumps(known))
    stand_ins = {"FOLDER": str(folder), "CLIPS": "clips", "gs://BUCKET/CLIPS": "memory://bucket/clips"}
    here = [code for section, _, cell in rows() if section.startswith("EVUD") for code in CODE.findall(cell)]
    imports = [code for code in here if code.startswith("dataset import ego4d-nlq")]
    assert len(imports) == 4
    for number, line in enumerate(imports):
        words = [stand_ins.get(word, word) for word in shlex.split(line)]
        typed(words if "--name" in words else [*words, "--name", f"ego{number}"])
    typed(["dataset", "show", "kept"])
    typed(shlex.split("run start kept --recipe ego4d-nlq --endpoint embedded --name asked --yes"))
    asyncio.run(at_rest())
    assert "export RUN evud OUT" in here
    typed(["export", "asked", "evud", "evud.json"])
    typed(["validate", "evud.json"])
    records = json.loads((tmp_path / "evud.json").read_text("utf-8"))
    assert [len(record["category_question_answer_tuples"]) for record in records] == [7, 7, 7]
    assert all((tmp_path / record["video"]).is_file() for record in records)
