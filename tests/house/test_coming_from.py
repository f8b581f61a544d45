"""docs/coming-from.md: what it says to type works on sample data, and what it says is not there yet is not there.

The built-in endpoint stands in for those that need a key or a server.
"""

import asyncio
import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

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


def typed_here() -> list[str]:
    return [code for _, _, here in rows() for code in CODE.findall(here) if code.startswith("vqa-tui ")]


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
    missing = [found for _, _, here in rows() if "Not yet" in here for found in NOT_YET.findall(here)]
    assert missing
    assert [(what, name) for what, name in missing if name in there[what]] == []


def typed(words: list[str]) -> None:
    """Type one command into the current folder; it must work. `doctor` may find something missing."""
    result = CliRunner().invoke(app, words, prog_name="vqa-tui")
    assert result.exit_code == 0 or words == ["doctor"], f"{words}\n{result.output}"


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
