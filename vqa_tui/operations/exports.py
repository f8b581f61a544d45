"""Exporting a run to training files, and validating training files."""

import asyncio
import errno
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vqa_tui.config.load import load_recipe
from vqa_tui.domain.export import ExportedRun, Reviewed
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.part import counted, unit
from vqa_tui.domain.sample import SampleFlag
from vqa_tui.domain.split_shares import WHAT_SHARES_ARE, are_shares
from vqa_tui.exporters.answer_mix import AnswerMix, parse_answer_mix, type_counts
from vqa_tui.exporters.formats import FORMATS, ExportFormat, Naming, export_format
from vqa_tui.exporters.layouts import JsonLines
from vqa_tui.exporters.manifest import Manifest, ManifestFile
from vqa_tui.exporters.picture_copies import PictureUse
from vqa_tui.exporters.splitting import (
    Split,
    SplitByHash,
    SplitDraw,
    SplitTogether,
    StandIns,
    Together,
    stratum_of,
)
from vqa_tui.exporters.validation import validate_export
from vqa_tui.exporters.validation_report import ValidationReport
from vqa_tui.exporters.writing import ExportWriter, parts_of, refuse_foreign_files
from vqa_tui.operations.export_manifest import SplitWish, Taken, limits_of, manifest_of
from vqa_tui.operations.workspace import Workspace
from vqa_tui.paths import find_workspace
from vqa_tui.store.db import StoreTrouble
from vqa_tui.store.exports import (
    deleted_meanwhile,
    exported_pictures,
    exported_run,
    hashes_of_one_video,
    hashes_of_several,
    last_hashes,
)


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
    split: Sequence[float] | None = None,
    seed: int | None = None,
    stratified: bool = False,
    grouped: bool = False,
    reviewed: str = Reviewed.NOT_REJECTED,
    pictures: str = PictureUse.IN_PLACE,
    most_pairs: int | None = None,
    shard_size: int | None = None,
    answer_types: str = "",
) -> ExportReport:
    """Write what the run has stored up to now, at any moment of it, and a manifest `<out>.manifest.json`.

    `split` is the share of distinct pictures for training, for validation and, if it is given, for tests, and makes the
    files `<stem>.train…`, `<stem>.val…` and `<stem>.test…`; equal pictures always stand on one side, and so do those
    that are shown together, and clips that are cut out of one video. The hashes of the pictures decide, so that few
    change sides while a run grows; `seed` draws instead, and `stratified` draws (by seed 0 where none is given) the
    same shares of pictures with the same labels. `grouped` puts all pairs of a picture into one conversation.
    `reviewed` says which pairs are taken: `not-rejected`, `accepted` or `any`; where a reviewer edited a pair, the
    edited text is written.
    `pictures` says where the file finds them: `in-place`, `copy` or `link` (in `<stem>.pictures`), or `inline`.
    `most_pairs` takes the first so many of each picture, and `answer_types` (`yes/no=0.5,number=0.2`) leaves out so
    many of these pairs that types of answers come in such shares. `shard_size` divides the files of JSON lines into
    several, `<stem>-00001-of-0000N…`, of so many rows at most, but for a picture that alone has more. The folder of
    `out` is made; earlier exports of the same name are replaced, all at once at the end, and other files never. Memory
    does not grow with the run, but for some 100 bytes for each picture where a split is drawn, pictures are copied or
    linked, or the format has hashes or numbers for pictures. Raises VqaError when the run, the format, a wish or the
    place cannot be used, a picture that is needed cannot be read, or there is nothing to export; DiskFull when there is
    no room.
    """
    chosen = export_format(format, grouped=grouped)
    wanted = _reviewed(reviewed)
    use = _picture_use(pictures, chosen)
    split_wish = _split_wish(split, seed, stratified)
    if most_pairs is not None and most_pairs < 1:
        raise VqaError(f"{most_pairs} pairs for each picture cannot be exported", hint="Give 1 or more.")
    _refuse_shards(shard_size, chosen)
    mix_wish = parse_answer_mix(answer_types)
    out = _absolute(out)
    run = await exported_run(workspace.db, run_id, wanted)
    if run is None:
        raise VqaError(f"there is no run {run_id}")
    if not run.last_sample_id:
        raise VqaError(f"the run {run.name} has no question-answer pairs yet", hint="Export again when some are done.")
    mix = None if mix_wish is None else await _answer_mix(workspace, run, mix_wish, most_pairs)
    sides = None if split_wish is None else await _split(workspace, run, split_wish)
    try:
        earlier = refuse_foreign_files(out, parts_of(sides), chosen)
        out.parent.mkdir(parents=True, exist_ok=True)
        with ExportWriter(
            out,
            chosen,
            run,
            grouped=grouped,
            split=sides,
            use=use,
            shard_size=shard_size,
            replaced=frozenset(file.name for file in earlier.files) if earlier else frozenset(),
        ) as writer:
            taken = Taken(most_pairs, mix)
            async for page in exported_pictures(workspace.db, run):
                await asyncio.to_thread(writer.add, taken.note(page))
            if (gone := await deleted_meanwhile(workspace.db, run)) is not None:
                raise _gone(run, gone)
            files = await asyncio.to_thread(writer.seal)
            if not any(file.pairs for file in files):
                raise _nothing_left(run)
            if not all(file.pairs for file in files):
                raise _no_split(run, taken)
            manifest = manifest_of(run, files, split_wish, chosen, grouped, use, writer, taken, shard_size, mix_wish)
            # A few renames, and not in a thread: a cancel must not find the old and the new export mixed.
            written = writer.commit(manifest)
    except OSError as error:
        raise _cannot_write(out, error) from error
    if earlier is not None and (earlier.shard_size, shard_size) != (None, None):
        await asyncio.to_thread(_remove_replaced, earlier, manifest, out.parent)
    warnings = _warnings(run, manifest, earlier, out.parent)
    for name in mix.left_out if mix else ():
        what = f"is {name}" if name else "is of a type that is not named"
        warnings += (f"no answer in the file {what}: of so few pairs the wanted share is less than one",)
    if writer.formulas:
        rows = f"{writer.formulas:,} {'row' if writer.formulas == 1 else 'rows'}"
        warnings += (f"a spreadsheet would take texts in {rows} for formulas: open the columns as text",)
    return ExportReport(out.parent, files, written, manifest.pictures, manifest.pairs, warnings)


def _remove_replaced(earlier: Manifest, manifest: Manifest, folder: Path) -> None:
    """Remove the files of the export in whose place other shards stand: `OUT-*.jsonl` would find both.

    Those that somebody has changed since, or that cannot be removed, are left, and the warnings name them.
    """
    written = {file.name for file in manifest.files}
    for file in earlier.files:
        path = folder / file.name
        if file.name in written or path.parent != folder or path.is_symlink() or not path.is_file():
            continue
        with suppress(OSError), open(path, "rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256:
                path.unlink()


def _refuse_shards(shard_size: int | None, chosen: ExportFormat) -> None:
    if shard_size is None:
        return
    if shard_size < 1:
        raise VqaError(f"{shard_size} rows in a file cannot be exported", hint="Give 1 or more.")
    if chosen.layout is not JsonLines:
        able = ", ".join(known.name for known in FORMATS.values() if known.layout is JsonLines)
        raise VqaError(
            f"the format {chosen.name} is one file and cannot be divided into shards",
            hint=f"Leave out the shard size, or take {able}.",
        )


async def _answer_mix(
    workspace: Workspace, run: ExportedRun, shares: Mapping[str, Fraction], most_pairs: int | None
) -> AnswerMix:
    counts: Counter[str] = Counter()
    async for page in exported_pictures(workspace.db, run):
        for picture in page.pictures:
            counts += type_counts(picture.pairs[:most_pairs])
    return AnswerMix(shares, counts)


async def _split(workspace: Workspace, run: ExportedRun, wish: SplitWish) -> Split:
    together = Together()
    async for hashes in hashes_of_several(workspace.db, run):
        together.join(hashes)
    async for hashes in hashes_of_one_video(workspace.db, run):
        together.join(hashes)
    split: Split
    if wish.seed is not None:
        draw = SplitDraw(wish.seed)
        async for page in exported_pictures(workspace.db, run):
            for picture in page.pictures:
                draw.add(together.of(picture.sha256), stratum_of(picture.truth) if wish.is_stratified else "")
        split = await asyncio.to_thread(draw.split, wish.shares)
    elif together:
        exported = StandIns()
        async for page in exported_pictures(workspace.db, run):
            for picture in page.pictures:
                exported.add(together.of(picture.sha256))
        split = SplitByHash(*await asyncio.to_thread(exported.last_hashes, wish.shares))
    else:
        split = SplitByHash(*await last_hashes(workspace.db, run, wish.shares))
    return SplitTogether(split, together) if together else split


def _picture_use(wanted: str, chosen: ExportFormat) -> PictureUse:
    try:
        use = PictureUse(wanted)
    except ValueError:
        raise VqaError(
            f"{wanted!r} does not say where pictures are to be", hint=f"Known are {', '.join(PictureUse)}."
        ) from None
    if chosen.naming is Naming.INLINE:
        if use in (PictureUse.COPY, PictureUse.LINK):
            raise VqaError(
                f"the format {chosen.name} holds the pictures itself; there is nothing to {use}",
                hint="Leave out the wish for the pictures.",
            )
        return PictureUse.INLINE
    if use is PictureUse.INLINE and chosen.naming is Naming.ANY:
        able = ", ".join(known.name for known in FORMATS.values() if known.naming is not Naming.ANY)
        raise VqaError(
            f"the format {chosen.name} names files and cannot hold pictures", hint=f"Those that can: {able}."
        )
    return use


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


def _no_split(run: ExportedRun, taken: Taken) -> VqaError:
    if taken.unmixed:
        return VqaError(
            f"the run {run.name} cannot be split: all pairs that the wanted shares of types of answers leave are about "
            "pictures of one side",
            hint="Leave out the split or the shares, or wait until more pictures are done.",
        )
    return VqaError(
        f"the run {run.name} cannot be split: it has question-answer pairs about fewer pictures that can stand apart "
        "than the split has sides",
        hint="Equal pictures, those that are shown together, and clips of one video stand on one side. Leave out the "
        "split, or wait until more are done.",
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
        limits = limits_of(load_recipe(recipe, folders=find_workspace().recipe_folders))
    try:
        return validate_export(_absolute(path), limits)
    except OSError as error:
        raise VqaError(f"cannot read {error.filename or path}: {error.strerror or error}") from error


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _split_wish(split: Sequence[float] | None, seed: int | None, stratified: bool) -> SplitWish | None:
    if split is None:
        if seed is not None or stratified:
            raise VqaError("a seed and strata are for a split, and none is asked for", hint="For example 0.9/0.1.")
        return None
    if not are_shares(split):
        raise VqaError(
            f"a split of {'/'.join(f'{share:g}' for share in split)} cannot be made",
            hint=WHAT_SHARES_ARE,
        )
    return SplitWish(tuple(split), (seed or 0) if stratified else seed, stratified)


def _left_out(number: int, what: str, which: str = "") -> str:
    return f"{counted(number, what)}{which} {'was' if number == 1 else 'were'} left out"


def _warnings(run: ExportedRun, manifest: Manifest, earlier: Manifest | None, folder: Path) -> tuple[str, ...]:
    skipped = manifest.skipped
    warnings = []
    for count, what in (
        (skipped.unfinished_pictures, "not finished yet"),
        (skipped.failed_pictures, "failed"),
        (skipped.skipped_pictures, "skipped by a person"),
    ):
        if count:
            word = unit(in_parts=run.parts != 1)
            warnings.append(f"{count:,} of {sum(run.tasks.values()):,} {word}s are not in the file: {what}")
    for source in manifest.follow_ups:
        pictures = counted(source.pictures, "picture")
        warnings.append(f"the pairs of {pictures} are of the run {source.name} ({source.endpoint}, {source.model})")
    if skipped.rejected_pairs:
        warnings.append(_left_out(skipped.rejected_pairs, "rejected pair"))
    if skipped.unaccepted_pairs:
        warnings.append(_left_out(skipped.unaccepted_pairs, "pair", " that nobody accepted"))
    if skipped.surplus_pairs:
        warnings.append(f"{_left_out(skipped.surplus_pairs, 'pair')}: of each picture only the first are wanted")
    if skipped.unmixed_pairs:
        warnings.append(f"{_left_out(skipped.unmixed_pairs, 'pair')} for the wanted shares of types of answers")
    if written_rejected := manifest.verdicts.get("rejected", 0):
        words = counted(written_rejected, "rejected pair")
        warnings.append(f"{words} {'is' if written_rejected == 1 else 'are'} in the file, because any were asked for")
    if cut := manifest.flags.get(SampleFlag.CUT_REPLY, 0):
        words = f"{counted(cut, 'pair')} {'is of a reply that was' if cut == 1 else 'are of replies that were'} cut off"
        warnings.append(f"{words}: `flag:{SampleFlag.CUT_REPLY}` finds them among the items, and a review rejects them")
    if manifest.image_paths == "absolute":
        because = (
            f"as {manifest.format} needs them"
            if FORMATS[manifest.format].naming is Naming.ABSOLUTE
            else "because the pictures do not lie beneath the folder of the file"
        )
        warnings.append(f"picture paths are absolute, {because}")
    written = {file.name for file in manifest.files}
    for file in earlier.files if earlier else ():
        if file.name not in written and (folder / file.name).exists():
            warnings.append(f"{file.name} of an earlier export is still there, and no manifest lists it any more")
    return tuple(warnings)
