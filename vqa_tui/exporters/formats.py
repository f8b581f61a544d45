"""The training formats by name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from vqa_tui.domain.export import ExportedRun
from vqa_tui.domain.failure import VqaError
from vqa_tui.exporters import vqa_v2
from vqa_tui.exporters.chat_messages import openai_records, sharegpt_records, trl_records, unsloth_records
from vqa_tui.exporters.csv_table import COLUMNS, csv_records
from vqa_tui.exporters.evud import evud_records
from vqa_tui.exporters.layouts import CsvTable, JsonLines, JsonList, JsonObject, LayoutMaker, Record
from vqa_tui.exporters.llava import llava_records
from vqa_tui.exporters.model_garden import model_garden_records
from vqa_tui.exporters.parquet_table import TrlTable
from vqa_tui.exporters.placed import PlacedPicture
from vqa_tui.exporters.qwen import qwen_finetune_records, qwen_records
from vqa_tui.exporters.stcray_flat import stcray_flat_records
from vqa_tui.exporters.vqa_rad import vqa_rad_records

Records = Callable[[PlacedPicture, ExportedRun, bool], Iterator[Record]]


class Grouping(StrEnum):
    """How the pairs of a picture may stand in records."""

    EITHER = "either"
    APART = "apart"
    """Each in a record of its own."""
    TOGETHER = "together"
    """Always all in one."""


class Naming(StrEnum):
    """How a format names pictures."""

    ANY = "any"
    """A path, relative to the file where possible."""
    ABSOLUTE = "absolute"
    """An absolute path, or the picture itself where that is asked for."""
    INLINE = "inline"
    """Only the picture itself, as a data URI."""


@dataclass(frozen=True, slots=True)
class CompanionFile:
    """A further file beside each file of records: `x.<name>.json` beside `x.json`."""

    name: str
    layout: LayoutMaker
    records: Records


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """One training format. `records` takes a placed picture, the run, and whether to group."""

    name: str
    summary: str
    """One line for lists and help."""
    suffix: str
    records: Records
    layout: LayoutMaker = JsonLines
    grouping: Grouping = Grouping.EITHER
    naming: Naming = Naming.ANY
    companions: tuple[CompanionFile, ...] = ()
    takes_clips: bool = False
    """Its records can name a video."""
    takes_several: bool = False
    """A record can name several pictures."""
    is_registered: bool = False
    """Its files have entries in the `dataset_info.json` of their folder."""
    only_rgb: bool = False
    """Its reader takes no pixels but those of RGB and RGBA, so that others are converted."""
    numbers_pictures: bool = False
    """It knows pictures by whole numbers."""

    @property
    def holds_pictures(self) -> bool:
        """Whether pictures always stand in the file itself."""
        return self.naming is Naming.INLINE

    @property
    def can_group(self) -> bool:
        return self.grouping is not Grouping.APART


_KNOWN = (
    ExportFormat(
        "qwen",
        "JSON Lines of conversations, for Qwen-VL and ShareGPT readers",
        ".jsonl",
        qwen_records,
        takes_clips=True,
        takes_several=True,
    ),
    ExportFormat(
        "qwen-finetune",
        "JSON Lines of `image` and conversations alone, for Qwen's own trainer",
        ".jsonl",
        qwen_finetune_records,
        takes_clips=True,
        takes_several=True,
    ),
    ExportFormat(
        "stcray-flat",
        "JSON Lines of single questions and answers with metadata, for the STCray reader",
        ".jsonl",
        stcray_flat_records,
        grouping=Grouping.APART,
    ),
    ExportFormat(
        "llava",
        "a JSON list of conversations, for LLaVA",
        ".json",
        llava_records,
        JsonList,
        takes_clips=True,
        takes_several=True,
    ),
    ExportFormat(
        "sharegpt",
        "a JSON list of messages and an entry in dataset_info.json, for LLaMA-Factory",
        ".json",
        sharegpt_records,
        JsonList,
        takes_several=True,
        is_registered=True,
    ),
    ExportFormat(
        "trl", "JSON Lines of images and messages of content lists, for TRL", ".jsonl", trl_records, takes_several=True
    ),
    ExportFormat(
        "trl-parquet",
        "the same as a parquet table with the pictures in it, for `datasets` and TRL",
        ".parquet",
        trl_records,
        TrlTable,
        naming=Naming.INLINE,
        takes_several=True,
    ),
    ExportFormat(
        "unsloth",
        "JSON Lines of messages that name the image, for Unsloth",
        ".jsonl",
        unsloth_records,
        takes_several=True,
    ),
    ExportFormat(
        "openai-ft",
        "JSON Lines of messages with the picture in them, for OpenAI fine-tuning",
        ".jsonl",
        openai_records,
        naming=Naming.INLINE,
        takes_several=True,
        only_rgb=True,
    ),
    ExportFormat(
        "model-garden",
        "JSON Lines of text, image and response, for Model Garden",
        ".jsonl",
        model_garden_records,
        grouping=Grouping.APART,
        naming=Naming.ABSOLUTE,
    ),
    ExportFormat(
        "vqa-rad-enhanced",
        "a JSON object by MD5 of the pixels, with reference and descriptive answers",
        ".json",
        vqa_rad_records,
        JsonObject,
        grouping=Grouping.TOGETHER,
    ),
    ExportFormat(
        "evud",
        "a JSON list of conversations with their pairs by category, for EVUD",
        ".json",
        evud_records,
        JsonList,
        grouping=Grouping.TOGETHER,
        takes_clips=True,
    ),
    ExportFormat(
        "vqa-v2",
        "questions, annotations and results in three JSON files, for the VQA v2 evaluation",
        ".json",
        vqa_v2.question_records,
        vqa_v2.questions_file,
        grouping=Grouping.APART,
        companions=(
            CompanionFile("annotations", vqa_v2.annotations_file, vqa_v2.annotation_records),
            CompanionFile("results", JsonList, vqa_v2.result_records),
        ),
        numbers_pictures=True,
    ),
    ExportFormat(
        "csv",
        "a table with a row for each pair",
        ".csv",
        csv_records,
        partial(CsvTable, COLUMNS),
        grouping=Grouping.APART,
    ),
)

FORMATS: dict[str, ExportFormat] = {known.name: known for known in _KNOWN}


def export_format(name: str, *, grouped: bool = False) -> ExportFormat:
    """Return the format `name`. Raises VqaError when it is unknown, or cannot be grouped and `grouped` is asked for."""
    found = FORMATS.get(name)
    if found is None:
        raise VqaError(f"unknown export format `{name}`", hint=f"Known are: {', '.join(FORMATS)}.")
    if grouped and not found.can_group:
        groupable = ", ".join(other.name for other in FORMATS.values() if other.can_group)
        raise VqaError(
            f"the format {name} has one line for each pair and cannot be grouped by picture",
            hint=f"Leave out the grouping, or take {groupable}.",
        )
    return found
