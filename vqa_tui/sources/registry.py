"""The kinds of dataset that can be imported, by name."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.sources.clip_wishes import ClipWishes
from vqa_tui.sources.coco import CocoSource
from vqa_tui.sources.conversations import ConversationSource
from vqa_tui.sources.ego4d_nlq import Ego4dNlqSource
from vqa_tui.sources.folder import FolderSource
from vqa_tui.sources.folder_sets import FolderSetSource
from vqa_tui.sources.source import Source
from vqa_tui.sources.stcray import StcraySource
from vqa_tui.sources.stcray_tree import StcrayTreeSource
from vqa_tui.sources.tables import TableSource
from vqa_tui.sources.video_folder import VideoFolderSource
from vqa_tui.sources.vqa_rad import open_vqa_rad
from vqa_tui.sources.vqa_v2 import VqaV2Source


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What a person says about the source to be opened."""

    path: Path
    images: Path | None = None
    """The folder of the pictures."""
    allow_outside: bool = False
    """Whether files outside the folder may be read."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """The column for each part of a row (see sources.columns)."""
    clips: ClipWishes = field(default_factory=ClipWishes)


def _conversations(given: SourceOptions) -> Source:
    return ConversationSource(given.path, given.images, allow_outside=given.allow_outside)


def _table(form: str) -> Callable[[SourceOptions], Source]:
    return lambda given: TableSource(
        form, given.path, given.images, columns=given.columns, allow_outside=given.allow_outside
    )


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One format: what a path of this kind is, and how it is opened."""

    help: str
    """One line for a person who chooses."""
    opener: Callable[[SourceOptions], Source]
    wants: str
    """`folder`, `file`, or `any`: what the path must be."""
    takes_images: bool
    """Whether the pictures may lie in a folder of their own."""
    takes_columns: bool = False
    """Whether a person may say which column holds what."""
    takes_clips: bool = False
    """Whether its items are clips of videos, of which a person may say where they come from and go to."""
    takes_length: bool = False
    """Whether a person may say how long the clips are."""


KINDS: dict[str, SourceKind] = {
    "folder": SourceKind(
        "a folder tree of pictures, each perhaps with a .txt or .json beside it",
        lambda given: FolderSource(given.path, allow_outside=given.allow_outside),
        "folder",
        False,
    ),
    "folder-sets": SourceKind(
        "a folder tree in which all pictures of one folder make one item, asked about together",
        lambda given: FolderSetSource(given.path, allow_outside=given.allow_outside),
        "folder",
        False,
    ),
    "stcray": SourceKind(
        "an STCray annotations.json (a list or JSON lines) with boxes and captions",
        lambda given: StcraySource(given.path, given.images, allow_outside=given.allow_outside),
        "file",
        True,
    ),
    "stcray-tree": SourceKind(
        "the raw STCray download: sets of Images, Json, Json_BB, Captions",
        lambda given: StcrayTreeSource(given.path, allow_outside=given.allow_outside),
        "folder",
        False,
    ),
    "coco": SourceKind(
        "COCO instances and captions: one JSON file, or a folder of instances_*.json and captions_*.json",
        lambda given: CocoSource(given.path, given.images, allow_outside=given.allow_outside),
        "any",
        True,
    ),
    "vqa-rad": SourceKind(
        "VQA-RAD: the JSON from OSF with its image folder, the Hugging Face parquet files, or an enhanced JSON",
        lambda given: open_vqa_rad(given.path, given.images, given.allow_outside),
        "any",
        True,
    ),
    "vqa-v2": SourceKind(
        "VQA v2: a file of questions with its annotations beside it, or the folder of both",
        lambda given: VqaV2Source(given.path, given.images, allow_outside=given.allow_outside),
        "any",
        True,
    ),
    "ego4d-nlq": SourceKind(
        "Ego4D queries: nlq_*.json with ego4d.json beside it, or the folder of both; each query is a clip of a video",
        lambda given: Ego4dNlqSource(given.path, given.images, given.clips, allow_outside=given.allow_outside),
        "any",
        True,
        takes_clips=True,
    ),
    "video": SourceKind(
        "a folder tree of videos, each one clip or cut into clips of one length, perhaps with .txt or .json beside",
        lambda given: VideoFolderSource(given.path, given.clips, allow_outside=given.allow_outside),
        "folder",
        False,
        takes_clips=True,
        takes_length=True,
    ),
    "llava": SourceKind(
        "LLaVA conversations: a JSON list or lines of image, conversations", _conversations, "file", True
    ),
    "sharegpt": SourceKind(
        "ShareGPT conversations (LLaMA-Factory): messages or conversations with images", _conversations, "file", True
    ),
    "qwen": SourceKind("Qwen-VL conversations, one record or a packed list a line", _conversations, "file", True),
    "model-garden": SourceKind(
        "Model Garden: lines of text, image (a path or data URI), response; or messages", _conversations, "file", True
    ),
    "jsonl": SourceKind(
        "any JSON lines or list of records, by columns that you name", _table("jsonl"), "file", True, True
    ),
    "csv": SourceKind("any CSV or TSV file with a line of column names", _table("csv"), "file", True, True),
    "parquet": SourceKind(
        "any parquet or Arrow file, or a folder of them (Hugging Face)", _table("parquet"), "any", True, True
    ),
    "hf": SourceKind(
        "any dataset of pictures at the Hugging Face Hub: OWNER/NAME, or a local folder of its files",
        _table("parquet"),
        "any",
        True,
        True,
    ),
}


_DOWNLOADED = {"stcray-tree": "stcray", "vqa-rad": "vqa-rad"}
"""Kinds of the datasets that can be fetched, with the name by which they are."""
_OTHER = {"folder": "file", "file": "folder"}


def open_source(
    kind: str,
    path: Path,
    *,
    images: Path | None = None,
    allow_outside: bool = False,
    columns: Mapping[str, str] | None = None,
    clips: ClipWishes | None = None,
) -> Source:
    """Return the source of `kind` at `path`. Nothing is read yet but what tells whether it is one.

    `images` is the folder of the pictures where they do not lie beside the annotations; with
    `allow_outside` names and links in the dataset may lead to files anywhere.
    `columns` says for `picture`, `question` and the like which column holds it, and `clips` where videos come from and
    clips go to, where the kind takes that.
    Raises VqaError for an unknown kind (the nearest is named) and for a path that is not there or not of this kind.
    """
    chosen = KINDS.get(kind)
    if chosen is None:
        nearest = difflib.get_close_matches(kind, KINDS, n=1)
        meant = f"Did you mean `{nearest[0]}`? " if nearest else ""
        raise VqaError(f"unknown kind of dataset `{kind}`", hint=f"{meant}Kinds: {', '.join(KINDS)}.")
    path = path.expanduser().absolute()
    _require(path, chosen.wants, kind)
    if images is not None:
        if not chosen.takes_images:
            raise VqaError(
                f"--images does not go with kind `{kind}`: its pictures lie in the folder itself",
                hint=f"Import it as: vqa-tui dataset import {kind} PATH",
            )
        images = images.expanduser().absolute()
        _require(images, "folder", "images")
    if columns and not chosen.takes_columns:
        taking = ", ".join(name for name, each in KINDS.items() if each.takes_columns)
        raise VqaError(f"--map does not go with kind `{kind}`, whose fields are known", hint=f"It goes with {taking}.")
    clips = clips or ClipWishes()
    if clips != ClipWishes() and not chosen.takes_clips:
        taking = ", ".join(name for name, each in KINDS.items() if each.takes_clips)
        raise VqaError(f"kind `{kind}` has no clips to keep or upload, and no videos", hint=f"It goes with {taking}.")
    if clips.length_s and not chosen.takes_length:
        taking = ", ".join(name for name, each in KINDS.items() if each.takes_length)
        raise VqaError(f"kind `{kind}` says itself where its clips are", hint=f"--clip-seconds goes with {taking}.")
    return chosen.opener(SourceOptions(path, images, allow_outside, columns or {}, clips))


def _require(path: Path, wanted: str, purpose: str) -> None:
    if not path.exists():
        fetched = f" `dataset download {_DOWNLOADED[purpose]}` fetches it." if purpose in _DOWNLOADED else ""
        raise VqaError(f"{path} does not exist", hint=f"Check the path; it is taken from the current folder.{fetched}")
    is_right = {"folder": path.is_dir(), "file": path.is_file(), "any": path.is_dir() or path.is_file()}[wanted]
    if not is_right:
        what = {"folder": "a folder", "file": "a file", "any": "a file or a folder"}[wanted]
        raise VqaError(
            f"{path} is not {what}, which `{purpose}` needs", hint=_kinds_for(path) if purpose in KINDS else ""
        )


def _kinds_for(path: Path) -> str:
    there = "folder" if path.is_dir() else "file"
    return (
        f"Kinds that take a {there}: {', '.join(name for name, kind in KINDS.items() if kind.wants != _OTHER[there])}."
    )
