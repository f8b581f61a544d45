"""Importing datasets, listing them, and telling what is in one."""

import asyncio
import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem
from vqa_tui.operations.dataset_import import Importer, ImportProgress, ImportReport
from vqa_tui.operations.hub_source import HubPlace, hub_place, open_hub_table
from vqa_tui.operations.size_bands import SizeBand, size_bands
from vqa_tui.operations.workspace import Workspace
from vqa_tui.sources.clip_wishes import ClipWishes
from vqa_tui.sources.columns import parse_columns, parse_columns_line
from vqa_tui.sources.probe import PICTURE_SUFFIXES
from vqa_tui.sources.registry import KINDS, open_source
from vqa_tui.sources.source import Source
from vqa_tui.store import datasets as store
from vqa_tui.store.dataset_edits import runs_by_dataset
from vqa_tui.store.datasets import CategoryCount

__all__ = [
    "CategoryCount",
    "ClipWishes",
    "DatasetDetail",
    "DatasetKind",
    "DatasetView",
    "ImportProgress",
    "ImportReport",
    "checked_name",
    "clip_wishes",
    "dataset_detail",
    "dataset_kinds",
    "dataset_row",
    "dataset_view",
    "import_dataset",
    "list_datasets",
    "parse_columns",
    "parse_columns_line",
    "suggested_name",
]

_NAME = re.compile(r"[^\W_][\w.+-]{0,99}")
_PROBLEMS_SHOWN = 100
_LONGEST_CLIP_S = 3600.0
_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class DatasetView:
    """One dataset in a list. Times are Unix seconds; paths and names are hostile text."""

    name: str
    kind: str
    root: str
    source: str
    items: int
    bytes: int
    """Of all pictures together."""
    problems: int
    created_at: float
    imported_at: float
    runs: tuple[str, ...] = ()
    """Names of the runs that use it, the oldest first."""
    unfinished: str | None = None
    """The path of a source whose import was begun and has not reached its end; None where there is none."""


@dataclass(frozen=True, slots=True)
class DatasetKind:
    """One format that can be imported."""

    name: str
    help: str
    """One line for a person who chooses."""
    wants: str
    """`folder`, `file`, or `any`: what the path must be."""
    takes_images: bool
    """Whether the pictures may lie in a folder of their own."""
    takes_columns: bool = False
    """Whether a person may say which column holds what."""
    takes_clips: bool = False
    """Whether its items are clips of videos."""
    takes_length: bool = False
    """Whether a person may say how long the clips are."""


@dataclass(frozen=True, slots=True)
class DatasetDetail:
    """Everything a face shows of one dataset."""

    view: DatasetView
    splits: Mapping[str | None, int]
    """Pictures by split; None stands for those without one."""
    categories: tuple[CategoryCount, ...]
    """The most frequent first."""
    problems: tuple[ImportProblem, ...]
    """By key, at most 100; the view has the number of all."""
    sizes: tuple[SizeBand, ...] = ()
    """By rising side; bands without a picture are left out."""


def dataset_kinds() -> tuple[DatasetKind, ...]:
    """Return the formats that can be imported, by name."""
    return tuple(
        DatasetKind(
            name,
            kind.help,
            kind.wants,
            kind.takes_images,
            kind.takes_columns,
            kind.takes_clips,
            kind.takes_length,
        )
        for name, kind in KINDS.items()
    )


async def import_dataset(
    workspace: Workspace,
    kind: str,
    path: Path,
    *,
    name: str | None = None,
    images: Path | None = None,
    limit: int | None = None,
    allow_outside: bool = False,
    columns: Mapping[str, str] | None = None,
    clips: ClipWishes | None = None,
    progress: Callable[[ImportProgress], None] | None = None,
) -> ImportReport:
    """Import the pictures at `path`, or what is new in them since the last time.

    Without `name` the dataset is called like its folder; a second import of the same path goes into the same dataset.
    `limit` is the largest number of usable pictures taken, from the start of the source. With
    `allow_outside` names and links in the source may lead to files outside its folder; `columns` says which column
    of a table holds what (see `parse_columns`), `clips` where videos come from and clips go to. Nothing is ever
    deleted from a dataset: a picture that is gone or broken now stays in it and is listed as a problem, and so is an
    item of several that is made of other pictures than when a run asked about it. A new dataset
    of which no picture is usable is not kept; its problems stand in the report.
    Batches are committed as they come, so what is imported stays when this is cancelled or fails later; the dataset
    says then that its import is not finished, until one of the same path reaches its end (or its limit).

    Raises VqaError when the source cannot be read, the name is malformed or belongs to a dataset of another kind or
    folder, or there is no picture at all.
    """
    if limit is not None and limit < 1:
        raise VqaError(f"the limit must be at least 1, not {limit}")
    source, given = await asyncio.to_thread(_open, workspace, kind, path, images, allow_outside, columns, clips)
    chosen = checked_name(name) if name is not None else await _default_name(workspace, kind, source.root, given)
    if existing := await store.dataset_named(workspace.db, chosen):
        _refuse_other(existing, kind, source)

    async with Importer(workspace.db, source, progress) as importer:
        if not await importer.read_first_batch(limit):
            raise VqaError(
                f"{path} holds no pictures", hint=f"Files ending in {' '.join(sorted(PICTURE_SUFFIXES))} are read."
            )
        row = await store.ensure_dataset(
            workspace.db, name=chosen, kind=kind, root=str(source.root), source=_source_text(given), at=importer.at
        )
        _refuse_other(row, kind, source)
        try:
            return await importer.run(
                row.id,
                chosen,
                limit,
                source=_source_text(given),
                owns_problems=row.source == _source_text(given),
                had_problems=row.problems > 0,
            )
        finally:
            if existing is None:
                await store.drop_if_empty(workspace.db, row.id)


def clip_wishes(*, keep: str = "", upload_to: str = "", videos_from: str = "", seconds: str = "") -> ClipWishes:
    """Return what a person typed of clips; empty is no wish. The folder `keep` is taken from the current one.

    Raises VqaError where `seconds` is no length of a clip.
    """
    try:
        length_s = float(seconds or 0)
    except ValueError:
        length_s = -1.0
    if length_s and not 1 <= length_s <= _LONGEST_CLIP_S:
        raise VqaError(
            f"{seconds} is no length of a clip in seconds", hint=f"Say 1 to {_LONGEST_CLIP_S:g}, or leave it out."
        )
    return ClipWishes(videos_from, Path(keep).expanduser().absolute() if keep else None, upload_to, length_s)


async def list_datasets(workspace: Workspace) -> list[DatasetView]:
    """Return every dataset, the most recently imported first."""
    used = await runs_by_dataset(workspace.db)
    return [_view(row, used.get(row.id, ())) for row in await store.list_datasets(workspace.db)]


async def dataset_view(workspace: Workspace, name: str) -> DatasetView:
    """Return one dataset as a list shows it. Raises VqaError, naming the nearest name, when there is none."""
    row = await dataset_row(workspace, name)
    return _view(row, (await runs_by_dataset(workspace.db)).get(row.id, ()))


async def dataset_detail(workspace: Workspace, name: str) -> DatasetDetail:
    """Return what is in one dataset. Raises VqaError, naming the nearest name, when there is none called so."""
    row = await dataset_row(workspace, name)
    sizes = await store.picture_sizes(workspace.db, row.id, chosen=row.items, total=row.items)
    return DatasetDetail(
        sizes=size_bands(sizes.groups),
        view=await dataset_view(workspace, name),
        splits=await store.split_counts(workspace.db, row.id),
        categories=tuple(await store.category_counts(workspace.db, row.id)),
        problems=tuple(await store.problem_page(workspace.db, row.id, size=_PROBLEMS_SHOWN)),
    )


async def dataset_row(workspace: Workspace, name: str) -> store.DatasetRow:
    """Return the row of a dataset. Raises VqaError, naming the nearest name, when there is none called so."""
    row = await store.dataset_named(workspace.db, name)
    if row is None:
        raise VqaError(
            f"there is no dataset named {name}", hint=_nearest(name, await store.dataset_names(workspace.db))
        )
    return row


async def suggested_name(workspace: Workspace, kind: str, path: Path, images: Path | None = None) -> str:
    """Return the name that an import without one would give. Raises VqaError as `import_dataset` does for the path."""
    if place := hub_place(kind, path):
        # The Hub is not asked at each key of a name that is being typed.
        return await _default_name(workspace, kind, place.root(workspace, images), place)
    source, given = await asyncio.to_thread(_open, workspace, kind, path, images)
    return await _default_name(workspace, kind, source.root, given)


def _nearest(name: str, known: list[str]) -> str:
    """Return the hint for a name that is not known: the one that was meant, or those that there are."""
    if not known:
        return "Import one with `vqa-tui dataset import KIND PATH`."
    if close := difflib.get_close_matches(name, known, n=1):
        return f"Did you mean {close[0]}?"
    others = len(known) - _NAMES_SHOWN
    more = f" and {others} more; `vqa-tui dataset list` lists them" if others > 0 else ""
    return f"Known: {', '.join(known[:_NAMES_SHOWN])}{more}."


def _view(row: store.DatasetRow, runs: tuple[str, ...]) -> DatasetView:
    return DatasetView(
        name=row.name,
        kind=row.kind,
        root=row.root,
        source=row.source,
        items=row.items,
        bytes=row.size_bytes,
        problems=row.problems,
        created_at=row.created_at,
        imported_at=row.imported_at,
        runs=runs,
        unfinished=row.unfinished,
    )


def checked_name(name: str) -> str:
    """Return `name`. Raises VqaError when no dataset can be called so."""
    if not _NAME.fullmatch(name):
        raise VqaError(
            f"`{name}` cannot be the name of a dataset",
            hint="Use up to 100 letters, digits, `.`, `_`, `+` and `-`, starting with a letter or digit.",
        )
    return name


def _source_text(given: Path | HubPlace) -> str:
    return given.given if isinstance(given, HubPlace) else str(given)


def _open(
    workspace: Workspace,
    kind: str,
    path: Path,
    images: Path | None,
    allow_outside: bool = False,
    columns: Mapping[str, str] | None = None,
    clips: ClipWishes | None = None,
) -> tuple[Source, Path | HubPlace]:
    """Return the source, and the path as it was given but absolute, or the dataset at the Hub."""
    if place := hub_place(kind, path):
        return open_hub_table(place, place.root(workspace, images), columns), place
    source = open_source(kind, path, images=images, allow_outside=allow_outside, columns=columns, clips=clips)
    given = path.expanduser().absolute()
    for folder in (given, source.root):
        try:
            str(folder).encode("utf-8")
        except UnicodeEncodeError as error:
            raise VqaError(
                f"{folder} is not valid UTF-8, so the workspace cannot keep it", hint="Rename the file or folder."
            ) from error
    return source, given


async def _default_name(workspace: Workspace, kind: str, root: Path, given: Path | HubPlace) -> str:
    """Return the name of the dataset this very source was imported into before, else the folder's, made unique."""
    rows = await store.list_datasets(workspace.db)
    for row in rows:
        if (row.kind, row.root, row.source) == (kind, str(root), _source_text(given)):
            return row.name
    if isinstance(given, HubPlace):
        named = given.base
    else:
        is_folder = await asyncio.to_thread(given.is_dir)
        named = (given if is_folder else given.parent).name
    base = re.sub(r"[^\w.+-]+", "-", named).lstrip("-._+")[:90] or "dataset"
    taken = {row.name for row in rows}
    free, number = base, 2
    while free in taken:
        free, number = f"{base}-{number}", number + 1
    return free


def _refuse_other(row: store.DatasetRow, kind: str, source: Source) -> None:
    if row.kind != kind:
        raise VqaError(
            f"the dataset {row.name} is of kind {row.kind}, not {kind}", hint="Choose another name with --name."
        )
    if row.root != str(source.root):
        raise VqaError(
            f"the dataset {row.name} has its pictures in {row.root}, not in {source.root}",
            hint="Choose another name with --name, or import from the folder it was made of.",
        )
