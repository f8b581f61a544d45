"""What is installed from a wheel: the shipped recipes, endpoints, styles and schema come along and are found."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what pip would put into site-packages."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (wheel,) = folder.glob("vqa_tui-*.whl")
    target = folder / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def test_every_config_style_and_migration_is_in_the_wheel(installed: Path) -> None:
    for folder, inside in (("configs", "vqa_tui/configs"), ("vqa_tui", "vqa_tui")):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".yaml", ".tcss", ".sql", ".py") and "__pycache__" not in path.parts:
                assert (installed / inside / path.relative_to(ROOT / folder)).is_file(), path


def test_an_installed_program_finds_its_shipped_configs(installed: Path, tmp_path: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(installed)!r})\n"
        "import vqa_tui\n"
        "from vqa_tui.paths import find_workspace, shipped_configs\n"
        "from vqa_tui.config.load import list_endpoints, list_recipes\n"
        "paths = find_workspace()\n"
        "print(vqa_tui.__file__, shipped_configs(), sep='\\n')\n"
        "print(*[f.name for f in list_recipes(paths.recipe_folders) if not f.problem])\n"
        "print(*[f.name for f in list_endpoints(paths.endpoint_folders) if not f.problem])\n"
    )
    result = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    module, configs, recipes, endpoints = result.stdout.splitlines()
    assert Path(module).is_relative_to(installed)
    assert Path(configs) == installed / "vqa_tui" / "configs"
    assert {"stcray", "caption", "general-vqa"} <= set(recipes.split())
    assert {"embedded", "gemini", "openai", "vllm", "cloudera-gateway"} <= set(endpoints.split())


def test_the_core_stays_light() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    core = " ".join(project["dependencies"])
    for heavy in ("torch", "transformers", "pandas", "pyarrow", "numpy"):
        assert heavy not in core
    assert {"images", "train", "unsloth", "video", "web", "dev"} <= set(project["optional-dependencies"])
    assert "textual==" in core, "Textual is pinned exactly: its minor versions change what screens look like"


def test_every_direct_dependency_has_a_tested_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if "==" in line
    }
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["dev"], *extras["train"], *extras["serve"]]
    wanted += ["fastapi", "uvicorn"]  # what `transformers[serving]` brings and `train serve` asks for
    names = {"".join(c for c in name.split("[")[0].split(">")[0].split("=")[0]).strip().lower() for name in wanted}
    assert names - {"vqa-tui"} <= {name for name in pinned} | {name.replace("-", "_") for name in pinned}
