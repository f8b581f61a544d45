"""Every key has an id and says what it does; styles use theme variables only."""

import re
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import vqa_tui.tui
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.answers import AnswersScreen
from vqa_tui.tui.screens.ask_again import AskAgainDialog
from vqa_tui.tui.screens.compare import CompareScreen
from vqa_tui.tui.screens.configs import ConfigsScreen
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.dataset_items import DatasetItemsScreen
from vqa_tui.tui.screens.dataset_problems import DatasetProblemsScreen
from vqa_tui.tui.screens.datasets import DatasetsScreen
from vqa_tui.tui.screens.dialogs import Question, ValueDialog
from vqa_tui.tui.screens.download import DownloadDialog
from vqa_tui.tui.screens.endpoints import EndpointsScreen
from vqa_tui.tui.screens.export import ExportDialog
from vqa_tui.tui.screens.failures import FailuresScreen
from vqa_tui.tui.screens.help import HelpScreen
from vqa_tui.tui.screens.import_dataset import ImportDialog
from vqa_tui.tui.screens.item import ItemScreen
from vqa_tui.tui.screens.items import ItemsScreen
from vqa_tui.tui.screens.library import LibraryScreen
from vqa_tui.tui.screens.limits import LimitsDialog
from vqa_tui.tui.screens.model_choice import ModelDialog
from vqa_tui.tui.screens.new_training import NewTraining
from vqa_tui.tui.screens.recipes import RecipesScreen
from vqa_tui.tui.screens.review import ReviewScreen
from vqa_tui.tui.screens.review_choice import ReviewChoiceDialog
from vqa_tui.tui.screens.run_editing import RunEditingScreen
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.screens.settings import SettingsScreen
from vqa_tui.tui.screens.time_travel import TimeTravelScreen
from vqa_tui.tui.screens.training import TrainingScreen
from vqa_tui.tui.screens.training_judging import TrainingJudging
from vqa_tui.tui.screens.training_layout import TrainingLayout
from vqa_tui.tui.screens.training_rows import TrainingRowsDialog
from vqa_tui.tui.screens.training_serving import TrainingServing
from vqa_tui.tui.screens.training_steering import TrainingSteering
from vqa_tui.tui.screens.upload import UploadDialog
from vqa_tui.tui.screens.wizard import NewRunWizard
from vqa_tui.tui.screens.zooming import ZoomingScreen
from vqa_tui.tui.widgets.attempt_list import AttemptList
from vqa_tui.tui.widgets.chip_bar import ChipBar
from vqa_tui.tui.widgets.choice_list import ChoiceList
from vqa_tui.tui.widgets.cluster_list import ClusterList
from vqa_tui.tui.widgets.course_panel import CoursePanel
from vqa_tui.tui.widgets.event_log import EventLog
from vqa_tui.tui.widgets.filter_line import FilterLine
from vqa_tui.tui.widgets.id_list import IdList
from vqa_tui.tui.widgets.inspector import Inspector
from vqa_tui.tui.widgets.live_table import LiveTable
from vqa_tui.tui.widgets.log_pane import LogPane
from vqa_tui.tui.widgets.paged_list import PagedList
from vqa_tui.tui.widgets.pair_editor import PairEditor
from vqa_tui.tui.widgets.panel import Panel
from vqa_tui.tui.widgets.path_field import PathInput
from vqa_tui.tui.widgets.row_list import RowList
from vqa_tui.tui.widgets.run_table import RunTable
from vqa_tui.tui.widgets.task_list import TaskList
from vqa_tui.tui.widgets.text_box import TextBox
from vqa_tui.tui.widgets.zoomed_text import ZoomedText

OWNERS: tuple[type[DOMNode], ...] = (
    VqaApp,
    RunsScreen,
    RunEditingScreen,
    CompareScreen,
    AnswersScreen,
    DashboardScreen,
    TimeTravelScreen,
    ZoomingScreen,
    ItemsScreen,
    FailuresScreen,
    ReviewScreen,
    ReviewChoiceDialog,
    PairEditor,
    TrainingScreen,
    TrainingLayout,
    TrainingJudging,
    TrainingServing,
    TrainingSteering,
    TrainingRowsDialog,
    NewTraining,
    CoursePanel,
    ItemScreen,
    DatasetsScreen,
    RecipesScreen,
    EndpointsScreen,
    SettingsScreen,
    NewRunWizard,
    ModelDialog,
    ChoiceList,
    TextBox,
    LibraryScreen,
    ConfigsScreen,
    DatasetItemsScreen,
    DatasetProblemsScreen,
    ImportDialog,
    ExportDialog,
    DownloadDialog,
    UploadDialog,
    AskAgainDialog,
    Question,
    ValueDialog,
    LimitsDialog,
    HelpScreen,
    RowList,
    LiveTable,
    ClusterList,
    RunTable,
    TaskList,
    Panel,
    ZoomedText,
    EventLog,
    LogPane,
    PagedList,
    PathInput,
    IdList,
    ChipBar,
    FilterLine,
    Inspector,
    AttemptList,
)
FOLDER = Path(vqa_tui.tui.__file__).parent


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.__name__)
def test_every_binding_has_an_id_a_tooltip_and_an_action(owner: type[DOMNode]) -> None:
    for binding in owner.__dict__.get("BINDINGS", []):
        assert isinstance(binding, Binding)
        assert binding.id, binding
        assert binding.tooltip or binding.system, binding
        action = binding.action.partition("(")[0]
        if "." not in action:
            assert hasattr(owner, f"action_{action}"), f"{owner.__name__} has no action {action}"


def test_ids_are_unique() -> None:
    found: dict[str, str] = {}
    for owner in OWNERS:
        for binding in owner.__dict__.get("BINDINGS", []):
            assert isinstance(binding, Binding) and binding.id
            assert found.setdefault(binding.id, binding.action) == binding.action, binding.id


def test_no_key_that_tmux_or_screen_takes() -> None:
    for owner in OWNERS:
        for binding in owner.__dict__.get("BINDINGS", []):
            assert isinstance(binding, Binding)
            assert not {"ctrl+a", "ctrl+b"} & set(binding.key.split(","))


def test_colours_come_from_the_theme() -> None:
    sources = [*FOLDER.rglob("*.tcss"), *FOLDER.rglob("*.py")]
    assert sources
    colour = re.compile(r"#[0-9a-fA-F]{3,8}\b(?=[\"';\s)])|rgb\(")
    for path in sources:
        text = "\n".join(line for line in path.read_text("utf-8").splitlines() if "query" not in line)
        assert [
            found for found in colour.findall(text) if found[1:].isalnum() and any(c.isdigit() for c in found)
        ] == []


def test_every_stylesheet_lies_beside_its_screen() -> None:
    names = {path.stem for path in (FOLDER / "screens").glob("*.py")} | {"inspector"}
    assert {path.stem for path in (FOLDER / "screens").glob("*.tcss")} <= names


_MEANINGS = {
    "r": {"resume"},
    "R": {"retry"},
    "B": {"requeue"},
    "A": {"again"},
    "p": {"pause", "problems"},
    "x": {"stop", "reject", "remove"},
    "u": {"undo"},
    "d": {"skip", "demo"},
    "D": {"delete"},
    "n": {"new run", "new training", "no", "next"},
    "N": {"rename", "previous"},
    "s": {"sort", "newest first"},
    "c": {"same but…", "copy"},
    "h": {"archive", "back", "previous", "before"},
    "z": {"zoom"},
    "a": {"approve", "accept"},
    "e": {"export", "edit"},
    "y": {"yank", "yes"},
}
"""What a person may take these letters for after having met them on one screen; nothing else may have them."""


@pytest.mark.parametrize("key", sorted(_MEANINGS))
def test_a_letter_that_is_known_from_one_screen_does_the_like_on_another(key: str) -> None:
    found = {
        binding.description.lower()
        for owner in OWNERS
        for binding in owner.__dict__.get("BINDINGS", [])
        if isinstance(binding, Binding) and key in binding.key.split(",")
    }
    assert found <= _MEANINGS[key]
    assert found
