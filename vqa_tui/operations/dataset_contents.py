"""Looking into a dataset: its pictures and problems by page, its categories and sizes."""

from array import array
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from vqa_tui.domain.item import ImportProblem, Item
from vqa_tui.operations.datasets import dataset_row
from vqa_tui.operations.size_bands import SizeBand, size_bands
from vqa_tui.operations.workspace import Workspace, patient_connection
from vqa_tui.store import dataset_pages as pages
from vqa_tui.store import datasets as store
from vqa_tui.store.datasets import CategoryCount

__all__ = [
    "CategoryCount",
    "DatasetContents",
    "SizeBand",
    "contents_of",
    "dataset_contents",
    "dataset_items",
    "dataset_problems",
    "item_ids",
    "items_by_id",
    "problem_ids",
    "problems_by_id",
]

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class DatasetContents:
    """What only reading every item tells."""

    splits: tuple[tuple[str | None, int], ...]
    """Pictures by split; None stands for those without one."""
    categories: tuple[CategoryCount, ...]
    """The most frequent first."""
    sizes: tuple[SizeBand, ...]
    """By rising side; bands without a picture are left out."""


async def dataset_contents(workspace: Workspace, name: str) -> DatasetContents:
    """Return what reading every item of a dataset tells; over a connection of its own, so that nobody waits for it.

    Raises VqaError, naming the nearest name, when there is no such dataset.
    """
    async with patient_connection(workspace) as apart:
        return await contents_of(apart, name)


async def contents_of(workspace: Workspace, name: str) -> DatasetContents:
    """Return the same over the connection of `workspace`."""
    row = await dataset_row(workspace, name)
    sizes = await store.picture_sizes(workspace.db, row.id, chosen=row.items, total=row.items)
    return DatasetContents(
        splits=tuple((await store.split_counts(workspace.db, row.id)).items()),
        categories=tuple(await store.category_counts(workspace.db, row.id)),
        sizes=size_bands(sizes.groups),
    )


async def item_ids(workspace: Workspace, name: str, *, search: str = "") -> "array[int]":
    """Return the ids of the items whose key holds `search`, in the order of keys."""
    return await pages.item_ids(workspace.db, (await dataset_row(workspace, name)).id, search=search)


async def items_by_id(workspace: Workspace, name: str, ids: Sequence[int]) -> dict[int, Item]:
    """Return those of `ids` that are items of the dataset."""
    return await pages.items_of(workspace.db, (await dataset_row(workspace, name)).id, ids)


async def problem_ids(workspace: Workspace, name: str) -> "array[int]":
    """Return which problems the imports of a dataset met, for `problems_by_id`."""
    return await pages.problem_ids(workspace.db, (await dataset_row(workspace, name)).id)


async def problems_by_id(workspace: Workspace, name: str, ids: Sequence[int]) -> dict[int, ImportProblem]:
    """Return those of `ids` that are problems of the dataset."""
    return await pages.problems_of(workspace.db, (await dataset_row(workspace, name)).id, ids)


async def dataset_items(workspace: Workspace, name: str, *, search: str = "") -> AsyncIterator[Item]:
    """Yield the items whose key holds `search`, by key, holding one page in memory."""
    row = await dataset_row(workspace, name)
    after = ""
    while page := await store.item_page(workspace.db, row.id, after_key=after, size=_PAGE):
        for item in page:
            if search in item.key:
                yield item
        after = page[-1].key


async def dataset_problems(workspace: Workspace, name: str) -> AsyncIterator[ImportProblem]:
    """Yield what could not be imported, by key, holding one page in memory."""
    row = await dataset_row(workspace, name)
    after = ""
    while page := await store.problem_page(workspace.db, row.id, after_key=after, size=_PAGE):
        for problem in page:
            yield problem
        after = page[-1].key
