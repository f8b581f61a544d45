"""The kinds of dataset that can be imported, by name."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.sources.coco import CocoSource
from vqa_tui.sources.folder import FolderSource
from vqa_tui.sources.source import Source
from vqa_tui.sources.stcray import StcraySource
from vqa_tui.sources.stcray_tree import StcrayTreeSource
from vqa_tui.sources.vqa_rad import open_vqa_rad


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One format: what a path of this kind is, and how it is opened."""

    help: str
    """One line for a person who chooses."""
    opener: Callable[[Path, Path | None, bool], Source]
    """Called with the path, the folder of the pictures, and whether files outside it may be read."""
    wants: str
    """`folder`, `file`, or `any`: what the path must be."""
    takes_images: bool
    """Whether the pictures may lie in a folder of their own."""


KINDS: dict[str, SourceKind] = {
    "folder": SourceKind(
        "a folder tree of pictures, each perhaps with a .txt or .json beside it",
        lambda path, images, allow_outside: FolderSource(path, allow_outside=allow_outside),
        "folder",
        False,
    ),
    "stcray": SourceKind(
        "an STCray annotations.json (a list or JSON lines) with boxes and captions",
        lambda path, images, allow_outside: StcraySource(path, images, allow_outside=allow_outside),
        "file",
        True,
    ),
    "stcray-tree": SourceKind(
        "the raw STCray download: sets of Images, Json, Json_BB, Captions",
        lambda path, images, allow_outside: StcrayTreeSource(path, allow_outside=allow_outside),
        "folder",
        False,
    ),
    "coco": SourceKind(
        "COCO instances and captions: one JSON file, or a folder of instances_*.json and captions_*.json",
        lambda path, images, allow_outside: CocoSource(path, images, allow_outside=allow_outside),
        "any",
        True,
    ),
    "vqa-rad": SourceKind(
        "VQA-RAD: the JSON from OSF with its image folder, or a folder of the Hugging Face parquet files",
        open_vqa_rad,
        "any",
        True,
    ),
}


def open_source(kind: str, path: Path, *, images: Path | None = None, allow_outside: bool = False) -> Source:
    """Return the source of `kind` at `path`. Nothing is read yet but what tells whether it is one.

    `images` is the folder of the pictures where they do not lie beside the annotations; with
    `allow_outside` names and links in the dataset may lead to files anywhere.
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
    return chosen.opener(path, images, allow_outside)


def _require(path: Path, wanted: str, purpose: str) -> None:
    if not path.exists():
        raise VqaError(f"{path} does not exist", hint="Check the path; it is taken from the current folder.")
    is_right = {"folder": path.is_dir(), "file": path.is_file(), "any": path.is_dir() or path.is_file()}[wanted]
    if not is_right:
        what = {"folder": "a folder", "file": "a file", "any": "a file or a folder"}[wanted]
        raise VqaError(f"{path} is not {what}, which `{purpose}` needs")
