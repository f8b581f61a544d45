"""The manifest of an export: what went into the files, and what did not."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction

from vqa_tui import __version__
from vqa_tui.config.freeze import thaw_recipe
from vqa_tui.config.recipe import Recipe
from vqa_tui.domain.export import ExportedRun, ExportPage, ExportPicture
from vqa_tui.domain.split_shares import SIDES
from vqa_tui.exporters.answer_mix import AnswerMix
from vqa_tui.exporters.formats import ExportFormat, Grouping
from vqa_tui.exporters.manifest import (
    Manifest,
    ManifestChecks,
    ManifestFile,
    ManifestFollowUp,
    ManifestRun,
    ManifestSkipped,
    ManifestSplit,
)
from vqa_tui.exporters.picture_copies import PictureUse
from vqa_tui.exporters.writing import ExportWriter


@dataclass(frozen=True, slots=True)
class SplitWish:
    """A split as it is asked for; `seed` is None where the hashes of the pictures decide."""

    shares: tuple[float, ...]
    seed: int | None
    is_stratified: bool


class Taken:
    """What went into the files: tasks with pairs by their status, and what follow-up runs gave, by their id; and how
    many pairs did not, by what review said of them."""

    def __init__(self, most_pairs: int | None, mix: AnswerMix | None = None) -> None:
        self._most_pairs, self._mix = most_pairs, mix
        self.statuses: Counter[str] = Counter()
        self.pictures: Counter[int] = Counter()
        self.pairs: Counter[int] = Counter()
        self.rejected = self.unaccepted = self.surplus = self.unmixed = 0

    def note(self, page: ExportPage) -> list[ExportPicture]:
        """Count a page; return its pictures, each with the pairs that are wanted, and none without any."""
        self.rejected += page.rejected_pairs
        self.unaccepted += page.unaccepted_pairs
        pictures = [replace(picture, pairs=picture.pairs[: self._most_pairs]) for picture in page.pictures]
        self.surplus += sum(len(picture.pairs) for picture in page.pictures)
        self.surplus -= sum(len(picture.pairs) for picture in pictures)
        for picture in pictures:
            # Also of one of which the mix leaves nothing: its answers are there, so it is not unfinished.
            self.statuses.update(picture.statuses)
        if self._mix is not None:
            before = sum(len(picture.pairs) for picture in pictures)
            mixed = [replace(picture, pairs=self._mix.chosen(picture.pairs)) for picture in pictures]
            pictures = [picture for picture in mixed if picture.pairs]
            self.unmixed += before - sum(len(picture.pairs) for picture in pictures)
        for picture in pictures:
            given = Counter(pair.source.id for pair in picture.pairs if pair.source is not None)
            self.pairs.update(given)
            self.pictures.update(given.keys())
        return pictures


def _left(run: ExportedRun, taken: Taken, *statuses: str) -> int:
    """Return how many tasks of these statuses are not in the files; the run may have moved on meanwhile."""
    return max(sum(run.tasks.get(status, 0) - taken.statuses[status] for status in statuses), 0)


def manifest_of(
    run: ExportedRun,
    files: Sequence[ManifestFile],
    wish: SplitWish | None,
    chosen: ExportFormat,
    grouped: bool,
    use: PictureUse,
    writer: ExportWriter,
    taken: Taken,
    shard_size: int | None,
    answer_mix: Mapping[str, Fraction] | None,
) -> Manifest:
    """Return the manifest of an export whose files are sealed: its run, what went into it and what did not."""
    records = [file for file in files if not file.role]
    return Manifest(
        product_version=__version__,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        format=chosen.name,
        grouped=grouped or chosen.grouping is Grouping.TOGETHER,
        image_paths=writer.image_paths,
        pictures_are=str(use),
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
        pictures=sum(file.pictures for file in records),
        pairs=sum(file.pairs for file in records),
        question_types=dict(sorted(writer.question_types.items())),
        answer_types=dict(sorted(writer.answer_types.items())),
        answer_mix={name: float(share) for name, share in (answer_mix or {}).items()},
        reviewed=str(run.reviewed),
        verdicts=dict(sorted(writer.verdicts.items())),
        flags=dict(sorted(writer.flags.items())),
        skipped=ManifestSkipped(
            rejected_pairs=taken.rejected,
            unaccepted_pairs=taken.unaccepted,
            surplus_pairs=taken.surplus,
            unmixed_pairs=taken.unmixed,
            unfinished_pictures=_left(run, taken, "pending", "leased"),
            failed_pictures=_left(run, taken, "failed"),
            skipped_pictures=_left(run, taken, "skipped"),
        ),
        split=None
        if wish is None
        else ManifestSplit(
            **dict(zip(SIDES, wish.shares, strict=False)),
            seed=wish.seed,
            stratified_by="labels" if wish.is_stratified else "",
        ),
        shard_size=shard_size,
        checks=limits_of(thaw_recipe(run.recipe)),
        files=tuple(files),
    )


def limits_of(recipe: Recipe) -> ManifestChecks:
    """Return what validation holds the pairs of a recipe against."""
    checks = recipe.checks
    return ManifestChecks(
        min_answer_chars=max(checks.min_answer_chars, 1),
        risk_words=checks.risk_words,
        structured_types=checks.structured_types,
    )
