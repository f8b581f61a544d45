"""One import at work: records are read and pictures opened in threads, and committed batch by batch."""

import asyncio
import os
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from types import TracebackType
from typing import Self

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import GroundTruth, ImportProblem, PictureFacts, PictureFile, SourceItem
from vqa_tui.operations.import_facts import FileFacts, opened_facts, unchanged_facts
from vqa_tui.sources.probe import UnusablePicture
from vqa_tui.sources.source import MakesFiles, Source
from vqa_tui.store.datasets import StoredItem, begin_import, finish_import, stored_items, truth_json, write_batch
from vqa_tui.store.db import Database
from vqa_tui.store.scratch import SqliteScratch

_BATCH = 256
_KNOWN_BATCH = 2048
"""Records at a time while no picture has to be opened: they take no longer than a few pictures."""
_ENTRIES = 20_000
"""Questions, boxes, captions and rows that the records of a batch have together, from which on no more join it."""
_EXAMPLES = 20
_ASKED = (
    "is made of other pictures than those that a run asked about, and stays as it was; "
    "import it under another name (--name) to ask about these"
)
_PICTURES_PER_JOB = 16
"""Pictures that one thread takes at a time: few enough to share the work, enough that handing over costs little."""


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import has come. `seen` counts records, those with problems included."""

    seen: int = 0
    added: int = 0
    unchanged: int = 0
    updated: int = 0
    problems: int = 0


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What one import did."""

    dataset: str
    added: int
    unchanged: int
    """Pictures that the dataset already held, with the same content and ground truth."""
    updated: int
    """Pictures whose file, ground truth, path or split changed since the last import."""
    problems: int
    examples: list[ImportProblem]
    """The first 20 problems."""
    bytes: int
    """Size of the usable pictures of this import together."""

    @property
    def usable(self) -> int:
        """Pictures of the source that are in the dataset now."""
        return self.added + self.unchanged + self.updated


@dataclass(slots=True)
class _Tally:
    progress: ImportProgress = field(default_factory=ImportProgress)
    examples: list[ImportProblem] = field(default_factory=list)
    size_bytes: int = 0

    @property
    def usable(self) -> int:
        return self.progress.added + self.progress.unchanged + self.progress.updated


class Importer:
    """Reads one source into one dataset. An async context manager: leaving it stops its threads without waiting."""

    def __init__(self, db: Database, source: Source, progress: Callable[[ImportProgress], None] | None) -> None:
        self.at = time.time()
        """Unix time of this import; the stamp on every problem that it meets."""
        self._db = db
        self._root = source.root
        self._makes = source if isinstance(source, MakesFiles) else None
        self._report_progress = progress
        self._scratch = SqliteScratch()
        self._records = source.records(self._scratch)
        # One thread reads, because a generator runs in one thread at a time; several decode, which frees the GIL.
        self._reader = ThreadPoolExecutor(1, "import-reader")
        self._probers = ThreadPoolExecutor(min(16, (os.cpu_count() or 1) + 2), "import-probe")
        self._batch = _Batch([], [])
        self._opens_pictures = True
        """Whether any picture of the last batch had to be opened."""
        self._may_heal = True
        """Whether the dataset may hold problems that a picture which is usable now has solved."""
        self._tally = _Tally()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.close()
        self._reader.submit(self._close_records)
        self._reader.shutdown(wait=False)
        self._probers.shutdown(wait=False, cancel_futures=True)

    async def read_first_batch(self, limit: int | None) -> bool:
        """Read ahead once and return whether there is anything to import. Raises VqaError as Source.records does."""
        self._batch = await self._next_batch(limit)
        return bool(self._batch.records)

    async def run(
        self,
        dataset_id: int,
        name: str,
        limit: int | None,
        *,
        source: str,
        owns_problems: bool,
        had_problems: bool,
    ) -> ImportReport:
        """Import the batch read ahead and all that follow; return what was done.

        `source`: the path that was given; until its end is reached the dataset says that its import is not finished.
        `owns_problems`: the dataset has no other source, so that problems not met again are solved.
        `had_problems`: there are some that earlier imports met.
        """
        self._may_heal = had_problems
        await begin_import(self._db, dataset_id, source=source, at=self.at)
        while self._batch.records:
            # Under a limit, how much to read depends on how much of this batch is usable. And where no picture is
            # opened there is nothing to do beside reading: two threads would only take the interpreter from each other.
            reads_ahead = limit is None and self._opens_pictures
            ahead = asyncio.ensure_future(self._next_batch(None)) if reads_ahead else None
            try:
                await self._import_batch(dataset_id)
            except BaseException:
                if ahead is not None:
                    ahead.add_done_callback(_look_at_result)
                    ahead.cancel()
                raise
            try:
                self._batch = await (ahead or self._next_batch(limit))
            except VqaError as error:
                if usable := self._tally.usable:
                    before = (
                        "1 picture before that place is" if usable == 1 else f"{usable} pictures before that place are"
                    )
                    error.hint = f"{error.hint} {before} imported and in {name} now.".strip()
                raise
        reached_end = limit is None or self._tally.usable < limit
        await finish_import(self._db, dataset_id, source=source, at=self.at, complete=owns_problems and reached_end)
        done = self._tally.progress
        return ImportReport(
            dataset=name,
            added=done.added,
            unchanged=done.unchanged,
            updated=done.updated,
            problems=done.problems,
            examples=self._tally.examples,
            bytes=self._tally.size_bytes,
        )

    async def _next_batch(self, limit: int | None) -> "_Batch":
        """Return the next records: never more than may still be usable under `limit`, none at the end."""
        size = _BATCH if self._opens_pictures else _KNOWN_BATCH
        if limit is not None:
            size = min(size, limit - self._tally.usable)
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._read, size)

    def _read(self, size: int) -> "_Batch":
        """Read up to `size` records, fewer where these hold very much; runs in the reader's thread."""
        records: list[SourceItem | ImportProblem] = []
        entries = 0
        for record in islice(self._records, size):
            records.append(record)
            if isinstance(record, SourceItem) and (entries := entries + _entries(record.truth)) >= _ENTRIES:
                break
        keys = [record.key for record in records if isinstance(record, SourceItem)]
        return _Batch(records, self._scratch.first_time("keys", keys))

    async def _import_batch(self, dataset_id: int) -> None:
        problems = [record for record in self._batch.records if isinstance(record, ImportProblem)]
        named = [record for record in self._batch.records if isinstance(record, SourceItem)]
        items = []
        for item, is_first in zip(named, self._batch.is_first, strict=True):
            if is_first:
                items.append(item)
            else:
                reason = f"names `{item.key}`, which an earlier record named too; the first one counts"
                problems.append(ImportProblem(f"{item.key} again in {item.where}", item.where, reason))
        known = await stored_items(self._db, dataset_id, [item.key for item in items])
        facts = await self._current_facts(items, known)
        loop = asyncio.get_running_loop()
        examined = await loop.run_in_executor(self._probers, _examine, items, facts, known)
        problems += examined.problems
        usable = examined.usable
        changed = [item for item in usable if known.get(item.key) is not item]
        others = {item.key for item in changed if (earlier := known.get(item.key)) and _shows_others(earlier, item)}
        unless_asked = {item.key: ImportProblem(item.key, item.where, _ASKED) for item in items if item.key in others}
        self._may_heal = self._may_heal or bool(problems)
        if changed or self._may_heal:
            broken = {problem.key for problem in problems}
            asked = await write_batch(
                self._db,
                dataset_id,
                items=changed,
                healed=[item.key for item in usable if item.key not in broken],
                problems=problems,
                at=self.at,
                unless_asked=unless_asked,
            )
            problems += [problem for key, problem in unless_asked.items() if key in asked]
            usable = [item for item in usable if item.key not in asked]
            self._may_heal = self._may_heal or bool(asked)
        self._count(usable, known, problems)

    async def _current_facts(self, items: Sequence[SourceItem], known: dict[str, StoredItem]) -> list[FileFacts]:
        """Return what the files of each item are, opening those that are new or changed on as many threads as help."""
        loop = asyncio.get_running_loop()
        facts: list[FileFacts | None] = [None] * len(items)
        if known:
            facts = await loop.run_in_executor(
                self._probers, unchanged_facts, self._root, items, known, self._makes is not None
            )
        to_open = [number for number, found in enumerate(facts) if found is None]
        self._opens_pictures = bool(to_open)
        jobs = [to_open[start : start + _PICTURES_PER_JOB] for start in range(0, len(to_open), _PICTURES_PER_JOB)]
        opened = await asyncio.gather(
            *(
                loop.run_in_executor(
                    self._probers, opened_facts, self._root, [items[number] for number in job], self._makes
                )
                for job in jobs
            )
        )
        for job, results in zip(jobs, opened, strict=True):
            for number, result in zip(job, results, strict=True):
                facts[number] = result
        return [found for found in facts if found is not None]

    def _count(
        self, usable: Sequence[StoredItem], known: dict[str, StoredItem], problems: Sequence[ImportProblem]
    ) -> None:
        tally, before = self._tally, self._tally.progress
        old = [(known[item.key], item) for item in usable if item.key in known]
        updated = sum(earlier is not now and not _same_content(earlier, now) for earlier, now in old)
        tally.progress = ImportProgress(
            seen=before.seen + len(self._batch.records),
            added=before.added + len(usable) - len(old),
            unchanged=before.unchanged + len(old) - updated,
            updated=before.updated + updated,
            problems=before.problems + len(problems),
        )
        tally.size_bytes += sum(item.facts.size_bytes + item.further_bytes for item in usable)
        if problems:
            tally.examples += problems[: _EXAMPLES - len(tally.examples)]
        if self._report_progress is not None:
            self._report_progress(tally.progress)

    def _close_records(self) -> None:
        if isinstance(self._records, Generator):
            self._records.close()


@dataclass(frozen=True, slots=True)
class _Batch:
    records: list[SourceItem | ImportProblem]
    is_first: list[bool]
    """For each SourceItem in `records`, whether no earlier one of this import has its key."""


@dataclass(frozen=True, slots=True)
class _Examined:
    usable: list[StoredItem]
    problems: list[ImportProblem]


def _examine(items: Sequence[SourceItem], facts: Sequence[FileFacts], known: dict[str, StoredItem]) -> _Examined:
    """Judge items by their files; one that is as it was stored is the very object of `known`. Runs in a thread."""
    result = _Examined([], [])
    for item, found in zip(items, facts, strict=True):
        if isinstance(found, UnusablePicture):
            where = item.where or item.path
            what = "picture" if item.truth.clip is None else "video"
            reason = found.reason if where == item.path else f"the {what} `{item.path}` {found.reason}"
            result.problems.append(ImportProblem(item.key, where, reason))
            continue
        own, *others = found
        further = tuple(PictureFile(path=path, facts=of) for path, of in zip(item.further, others, strict=True))
        truth = item.truth.model_copy(update={"further": further}) if further else item.truth
        beside = sum(of.size_bytes for of in others)
        stored = StoredItem(item.key, item.path, own, item.split, truth_json(truth), len(found), beside)
        earlier = known.get(item.key)
        result.usable.append(earlier if earlier is not None and earlier == stored else stored)
        if item.truth.boxes and (problem := _boxes_outside(item, own)):
            result.problems.append(problem)
    return result


def _entries(truth: GroundTruth) -> int:
    rows = truth.extra.get("rows")
    return len(truth.questions) + len(truth.boxes) + len(truth.captions) + (len(rows) if isinstance(rows, list) else 0)


def _look_at_result(ahead: "asyncio.Future[_Batch]") -> None:
    """Keep asyncio from reporting an error of a batch that nobody waits for any more."""
    if not ahead.cancelled():
        ahead.exception()


def _boxes_outside(item: SourceItem, facts: PictureFacts) -> ImportProblem | None:
    """Report boxes that do not touch the picture at all: they were drawn on another size, rotation or picture."""
    outside = [
        (number, box)
        for number, box in enumerate(item.truth.boxes, start=1)
        if box.x >= facts.width or box.y >= facts.height or box.x + box.width <= 0 or box.y + box.height <= 0
    ]
    if not outside:
        return None
    number, box = outside[0]
    reason = (
        f"{len(outside)} of {len(item.truth.boxes)} boxes lie outside the {facts.width}×{facts.height} picture "
        f"(first: box {number}, {box.label}); it is imported, but check the size the boxes were drawn on"
    )
    return ImportProblem(f"{item.key} boxes", item.where or item.path, reason)


def _shows_others(earlier: StoredItem, now: StoredItem) -> bool:
    """Return whether the pictures of an item of several are no longer those that it was made of: some came, went, or
    have another name and content. Files that were moved, or written anew where they lie, are the same ones."""
    if earlier is now or earlier.pictures == now.pictures == 1:
        return False
    before, after = _pictures(earlier), _pictures(now)
    return len(before) != len(after) or any(
        path != new_path and sha256 != new_sha256
        for (path, sha256), (new_path, new_sha256) in zip(before, after, strict=True)
    )


def _pictures(item: StoredItem) -> list[tuple[str, str]]:
    """Return path and SHA-256 of each picture that an item is made of."""
    further = GroundTruth.model_validate_json(item.truth).further if item.pictures > 1 else ()
    return [(item.path, item.facts.sha256), *((each.path, each.facts.sha256) for each in further)]


def _same_content(earlier: StoredItem, now: StoredItem) -> bool:
    """Return whether nothing but the file's time of change differs."""
    return earlier == now or earlier == replace(now, facts=replace(now.facts, modified_ns=earlier.facts.modified_ns))
