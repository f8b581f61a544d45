"""Exporting a run to training files, and validating training files."""

import asyncio
import errno
import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vqa_tui import __version__
from vqa_tui.config.freeze import thaw_recipe
from vqa_tui.config.load import load_recipe
from vqa_tui.config.recipe import Recipe
from vqa_tui.domain.export import ExportedRun, ExportPage, Reviewed
from vqa_tui.domain.failure import VqaError
from vqa_tui.exporters.formats import FORMATS, ExportFormat, export_format
from vqa_tui.exporters.manifest import (
    Manifest,
    ManifestChecks,
    ManifestFile,
    ManifestFollowUp,
    ManifestRun,
    ManifestSkipped,
    ManifestSplit,
)
from vqa_tui.exporters.validation import validate_export
from vqa_tui.exporters.validation_report import ValidationReport
from vqa_tui.exporters.writing import ExportWriter, Part, picture_prefix, refuse_foreign_files
from vqa_tui.operations.workspace import Workspace
from vqa_tui.paths import find_workspace
from vqa_tui.store.db import StoreTrouble
from vqa_tui.store.exports import deleted_meanwhile, exported_pictures, exported_run, last_training_hash


class DiskFull(StoreTrouble):
    """There is no room for an export."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote. `files` names each training file with its counts and SHA-256."""

    folder: Path
    files: tuple[ManifestFile, ...]
    manifest: Path
    pictures: int
    pairs: int
    warnings: tuple[str, ...]


def export_formats() -> tuple[ExportFormat, ...]:
    """Return the formats that `export_run` knows."""
    return tuple(FORMATS.values())


async def export_run(
    workspace: Workspace,
    run_id: int,
    format: str,  # noqa: A002 - the word of the command line
    out: Path,
    *,
    split: tuple[float, float] | None = None,
    grouped: bool = False,
    reviewed: str = Reviewed.NOT_REJECTED,
) -> ExportReport:
    """Write what the run has stored up to now, at any moment of it, and a manifest `<out>.manifest.json`.

    `split` is the share of distinct pictures for training and for validation, and makes two files `<stem>.train…` and
    `<stem>.val…`; equal pictures always stand on one side. `grouped` puts all pairs of a picture into one
    conversation. `reviewed` says which pairs are taken: `not-rejected`, `accepted` or `any`; where a reviewer edited a
    pair, the edited text is written. The folder of `out` is made; earlier exports of the same name are
    replaced, all at once at the end, and other files never. Memory does not grow with the run.
    Raises VqaError when the run, the format, the split, `reviewed` or the place cannot be used, or there is nothing to
    export; DiskFull when there is no room.
    """
    chosen = export_format(format, grouped=grouped)
    wanted = _reviewed(reviewed)
    training_share = None if split is None else _training_share(split)
    parts: tuple[Part, ...] = ("all",) if split is None else ("train", "val")
    out = _absolute(out)
    run = await exported_run(workspace.db, run_id, wanted)
    if run is None:
        raise VqaError(f"there is no run {run_id}")
    if not run.last_sample_id:
        raise VqaError(f"the run {run.name} has no question-answer pairs yet", hint="Export again when some are done.")
    last_hash = None if training_share is None else await last_training_hash(workspace.db, run, training_share)
    try:
        earlier = refuse_foreign_files(out, parts)
        out.parent.mkdir(parents=True, exist_ok=True)
        prefix, is_relative = picture_prefix(Path(run.root), out.parent)
        with ExportWriter(out, chosen, run, prefix=prefix, grouped=grouped, last_training_hash=last_hash) as writer:
            taken = _Taken()
            async for page in exported_pictures(workspace.db, run):
                taken.note(page)
                await asyncio.to_thread(writer.add, page.pictures)
            if (gone := await deleted_meanwhile(workspace.db, run)) is not None:
                raise _gone(run, gone)
            files = await asyncio.to_thread(writer.seal)
            if not any(file.pairs for file in files):
                raise _nothing_left(run)
            if not all(file.pairs for file in files):
                raise VqaError(
                    f"the run {run.name} cannot be split: it has question-answer pairs about one picture only",
                    hint="Leave out the split, or wait until a second picture that is not equal is done.",
                )
            manifest = _manifest(run, files, split, format, grouped, is_relative, writer, taken)
            # A few renames, and not in a thread: a cancel must not find the old and the new export mixed.
            written = writer.commit(manifest)
    except OSError as error:
        raise _cannot_write(out, error) from error
    return ExportReport(
        out.parent, files, written, manifest.pictures, manifest.pairs, _warnings(run, manifest, earlier, out.parent)
    )


def _reviewed(wanted: str) -> Reviewed:
    try:
        return Reviewed(wanted)
    except ValueError:
        known = ", ".join(Reviewed)
        raise VqaError(f"{wanted!r} does not say which pairs to export", hint=f"Known are {known}.") from None


def _gone(run: ExportedRun, name: str) -> VqaError:
    if name == run.name:
        return VqaError(f"the run {name} was deleted while it was exported", hint="Nothing was written or replaced.")
    return VqaError(
        f"the run {name}, which follows {run.name}, was deleted while both were exported",
        hint="Nothing was written or replaced. Export again: the pairs of that run are not in it then.",
    )


def _nothing_left(run: ExportedRun) -> VqaError:
    if run.reviewed is Reviewed.ACCEPTED:
        return VqaError(
            f"no question-answer pair of the run {run.name} has been accepted",
            hint="Review some first (`vqa-tui review next`, or mode 5 of the terminal app), or export those that were "
            "not rejected.",
        )
    return VqaError(f"every question-answer pair of the run {run.name} was rejected")


def _cannot_write(out: Path, error: OSError) -> VqaError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(
            f"cannot write the export {out}: the disk is full",
            hint="Nothing was replaced. Make room, or choose a folder on another disk.",
        )
    reason = _REFUSED.get(error.errno or 0) or error.strerror or str(error)
    return VqaError(
        f"cannot write the export {out}: {reason}", hint="Nothing was replaced. Choose another folder or name."
    )


_REFUSED = {
    errno.EACCES: "its folder does not let you write",
    errno.EPERM: "its folder does not let you write",
    errno.EROFS: "its folder is on a disk that can only be read",
    errno.ENOTDIR: "what should be its folder is a file",
    errno.EEXIST: "what should be its folder is a file",
    errno.ENAMETOOLONG: "the name is too long",
}


def validate_file(path: Path, *, recipe: str | None = None) -> ValidationReport:
    """Check a training file, an export with all its parts, or a manifest; see exporters.validation.

    `recipe` names a recipe, or its file, whose checks count in the place of those in the manifest. Blocks while every
    picture is opened: call it in a thread where something else must go on.
    Raises VqaError when there is no such file or recipe, or one cannot be read.
    """
    limits = None
    if recipe is not None:
        limits = _limits(load_recipe(recipe, folders=find_workspace().recipe_folders))
    try:
        return validate_export(_absolute(path), limits)
    except OSError as error:
        raise VqaError(f"cannot read {error.filename or path}: {error.strerror or error}") from error


def _limits(recipe: Recipe) -> ManifestChecks:
    checks = recipe.checks
    return ManifestChecks(
        min_answer_chars=max(checks.min_answer_chars, 1),
        risk_words=checks.risk_words,
        structured_types=checks.structured_types,
    )


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _training_share(split: tuple[float, float]) -> float:
    training, validation = split
    usable = all(math.isfinite(share) and share > 0 for share in split)
    if not usable or abs(training + validation - 1) > 1e-6:
        raise VqaError(
            f"a split of {training:g}/{validation:g} cannot be made",
            hint="Give two shares above 0 that add up to 1, such as 0.9/0.1.",
        )
    return training


def _manifest(
    run: ExportedRun,
    files: Sequence[ManifestFile],
    split: tuple[float, float] | None,
    format_name: str,
    grouped: bool,
    is_relative: bool,
    writer: ExportWriter,
    taken: "_Taken",
) -> Manifest:
    return Manifest(
        product_version=__version__,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        format=format_name,
        grouped=grouped,
        image_paths="relative to this folder" if is_relative else "absolute",
        run=ManifestRun(
            id=run.id,
            name=run.name,
            phase=run.phase,
            dataset=run.dataset,
            recipe=run.recipe_name,
            recipe_sha256=hashlib.sha256(run.recipe.encode("utf-8")).hexdigest(),
            config_sha256=run.config_sha256,
            endpoint=run.endpoint_name,
            model=run.model,
        ),
        follow_ups=tuple(
            ManifestFollowUp(
                id=source.id,
                name=source.name,
                config_sha256=source.config_sha256,
                endpoint=source.endpoint_name,
                model=source.model,
                pictures=taken.pictures[source.id],
                pairs=taken.pairs[source.id],
            )
            for source in run.follow_ups
            if taken.pictures[source.id]
        ),
        pictures=sum(file.pictures for file in files),
        pairs=sum(file.pairs for file in files),
        question_types=dict(sorted(writer.question_types.items())),
        reviewed=str(run.reviewed),
        verdicts=dict(sorted(writer.verdicts.items())),
        skipped=ManifestSkipped(
            rejected_pairs=taken.rejected,
            unaccepted_pairs=taken.unaccepted,
            unfinished_pictures=_left(run, taken, "pending", "leased"),
            failed_pictures=_left(run, taken, "failed"),
            skipped_pictures=_left(run, taken, "skipped"),
        ),
        split=None if split is None else ManifestSplit(train=split[0], val=split[1]),
        checks=_limits(thaw_recipe(run.recipe)),
        files=tuple(files),
    )


class _Taken:
    """What went into the files: pictures by the status of their task, and what follow-up runs gave, by their id; and
    how many pairs did not, by what review said of them."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.pictures: Counter[int] = Counter()
        self.pairs: Counter[int] = Counter()
        self.rejected = self.unaccepted = 0

    def note(self, page: ExportPage) -> None:
        self.rejected += page.rejected_pairs
        self.unaccepted += page.unaccepted_pairs
        for picture in page.pictures:
            self.statuses[picture.status] += 1
            if picture.source is not None:
                self.pictures[picture.source.id] += 1
                self.pairs[picture.source.id] += len(picture.pairs)


def _left(run: ExportedRun, taken: _Taken, *statuses: str) -> int:
    """Return how many pictures of these statuses are not in the files; the run may have moved on meanwhile."""
    return max(sum(run.tasks.get(status, 0) - taken.statuses[status] for status in statuses), 0)


def _warnings(run: ExportedRun, manifest: Manifest, earlier: Manifest | None, folder: Path) -> tuple[str, ...]:
    skipped = manifest.skipped
    warnings = []
    for count, what in (
        (skipped.unfinished_pictures, "not finished yet"),
        (skipped.failed_pictures, "failed"),
        (skipped.skipped_pictures, "skipped by a person"),
    ):
        if count:
            warnings.append(f"{count:,} of {sum(run.tasks.values()):,} pictures are not in the file: {what}")
    for source in manifest.follow_ups:
        pictures = f"{source.pictures:,} {'picture' if source.pictures == 1 else 'pictures'}"
        warnings.append(f"the pairs of {pictures} are of the run {source.name} ({source.endpoint}, {source.model})")
    if skipped.rejected_pairs:
        warnings.append(f"{skipped.rejected_pairs:,} rejected pairs were left out")
    if skipped.unaccepted_pairs:
        warnings.append(f"{skipped.unaccepted_pairs:,} pairs that nobody accepted were left out")
    if written_rejected := manifest.verdicts.get("rejected", 0):
        warnings.append(f"{written_rejected:,} rejected pairs are in the file, because any were asked for")
    if manifest.image_paths == "absolute":
        warnings.append("picture paths are absolute, because the pictures do not lie beneath the folder of the file")
    written = {file.name for file in manifest.files}
    for file in earlier.files if earlier else ():
        if file.name not in written and (folder / file.name).exists():
            warnings.append(f"{file.name} of an earlier export is still there, and no manifest lists it any more")
    return tuple(warnings)
