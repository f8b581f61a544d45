"""One import at work: records are read and pictures opened in threads, and committed batch by batch."""

import asyncio
import os
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem, PictureFacts, SourceItem
from vqa_tui.sources.probe import UnusablePicture, probe
from vqa_tui.sources.source import Source
from vqa_tui.store.datasets import StoredItem, finish_import, stored_items, truth_json, write_batch
from vqa_tui.store.db import Database
from vqa_tui.store.scratch import SqliteScratch

_BATCH = 256
_EXAMPLES = 20
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
        self._report_progress = progress
        self._scratch = SqliteScratch()
        self._records = source.records(self._scratch)
        # One thread reads, because a generator runs in one thread at a time; several decode, which frees the GIL.
        self._reader = ThreadPoolExecutor(1, "import-reader")
        self._probers = ThreadPoolExecutor(min(16, (os.cpu_count() or 1) + 2), "import-probe")
        self._batch: list[SourceItem | ImportProblem] = []
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
        return bool(self._batch)

    async def run(self, dataset_id: int, name: str, limit: int | None, *, owns_problems: bool) -> ImportReport:
        """Import the batch read ahead and all that follow; return what was done.

        `owns_problems`: the dataset has no other source, so that problems not met again are solved.
        """
        while self._batch:
            await self._import_batch(dataset_id)
            try:
                self._batch = await self._next_batch(limit)
            except VqaError as error:
                if usable := self._tally.usable:
                    before = (
                        "1 picture before that place is" if usable == 1 else f"{usable} pictures before that place are"
                    )
                    error.hint = f"{error.hint} {before} imported and in {name} now.".strip()
                raise
        reached_end = limit is None or self._tally.usable < limit
        await finish_import(self._db, dataset_id, at=self.at, complete=owns_problems and reached_end)
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

    async def _next_batch(self, limit: int | None) -> list[SourceItem | ImportProblem]:
        """Return the next records: never more than may still be usable under `limit`, [] at the end."""
        size = _BATCH if limit is None else min(_BATCH, limit - self._tally.usable)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, lambda: list(islice(self._records, size)))

    async def _import_batch(self, dataset_id: int) -> None:
        problems = [record for record in self._batch if isinstance(record, ImportProblem)]
        named = [record for record in self._batch if isinstance(record, SourceItem)]
        loop = asyncio.get_running_loop()
        new = await loop.run_in_executor(self._reader, self._scratch.first_time, "keys", [item.key for item in named])
        items = []
        for item, is_first in zip(named, new, strict=True):
            if is_first:
                items.append(item)
            else:
                reason = f"names `{item.key}`, which an earlier record named too; the first one counts"
                problems.append(ImportProblem(f"{item.key} again in {item.where}", item.where, reason))
        known = await stored_items(self._db, dataset_id, [item.key for item in items])
        jobs = [items[start : start + _PICTURES_PER_JOB] for start in range(0, len(items), _PICTURES_PER_JOB)]
        examined = await asyncio.gather(
            *(loop.run_in_executor(self._probers, _examine, self._root, job, known) for job in jobs)
        )
        usable: list[StoredItem] = []
        for result in examined:
            usable += result.usable
            problems += result.problems
        broken = {problem.key for problem in problems}
        await write_batch(
            self._db,
            dataset_id,
            items=[item for item in usable if known.get(item.key) != item],
            healed=[item.key for item in usable if item.key not in broken],
            problems=problems,
            at=self.at,
        )
        self._count(usable, known, problems)

    def _count(
        self, usable: Sequence[StoredItem], known: dict[str, StoredItem], problems: Sequence[ImportProblem]
    ) -> None:
        tally, before = self._tally, self._tally.progress
        old = [(known[item.key], item) for item in usable if item.key in known]
        updated = sum(not _same_content(earlier, now) for earlier, now in old)
        tally.progress = ImportProgress(
            seen=before.seen + len(self._batch),
            added=before.added + len(usable) - len(old),
            unchanged=before.unchanged + len(old) - updated,
            updated=before.updated + updated,
            problems=before.problems + len(problems),
        )
        tally.size_bytes += sum(item.facts.size_bytes for item in usable)
        tally.examples += problems[: _EXAMPLES - len(tally.examples)]
        if self._report_progress is not None:
            self._report_progress(tally.progress)

    def _close_records(self) -> None:
        if isinstance(self._records, Generator):
            self._records.close()


@dataclass(frozen=True, slots=True)
class _Examined:
    usable: list[StoredItem]
    problems: list[ImportProblem]


def _examine(root: Path, items: Sequence[SourceItem], known: dict[str, StoredItem]) -> _Examined:
    """Open those pictures whose file is new or changed (by path, size or time); runs in a thread."""
    result = _Examined([], [])
    for item in items:
        try:
            facts = _current_facts(f"{root}/{item.path}", item, known.get(item.key))
        except UnusablePicture as error:
            where = item.where or item.path
            reason = error.reason if where == item.path else f"the picture `{item.path}` {error.reason}"
            result.problems.append(ImportProblem(item.key, where, reason))
            continue
        result.usable.append(StoredItem(item.key, item.path, facts, item.split, truth_json(item.truth)))
        if problem := _boxes_outside(item, facts):
            result.problems.append(problem)
    return result


def _current_facts(path: str, item: SourceItem, earlier: StoredItem | None) -> PictureFacts:
    if earlier is not None and earlier.path == item.path:
        try:
            status = os.stat(path)
        except OSError as error:
            raise UnusablePicture(f"cannot be read: {error.strerror}") from error
        if (status.st_size, status.st_mtime_ns) == (earlier.facts.size_bytes, earlier.facts.modified_ns):
            return earlier.facts
    return probe(Path(path))


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


def _same_content(earlier: StoredItem, now: StoredItem) -> bool:
    """Return whether nothing but the file's time of change differs."""
    return earlier == now or earlier == replace(now, facts=replace(now.facts, modified_ns=earlier.facts.modified_ns))
