"""Datasets, recipes and endpoints, as the wizard and their own screens need them."""

import asyncio
from array import array
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from vqa_tui.operations.workspace import Workspace
from vqa_tui.tui.path_completion import Completion, PathCompleter
from vqa_tui.tui.services.door import Door

if TYPE_CHECKING:
    from vqa_tui.config.load import ConfigFile
    from vqa_tui.domain.item import ImportProblem, Item
    from vqa_tui.operations.config_entries import EndpointEntry, RecipeEntry
    from vqa_tui.operations.dataset_contents import DatasetContents
    from vqa_tui.operations.dataset_edits import DeletedDataset
    from vqa_tui.operations.datasets import ClipWishes, DatasetKind, DatasetView, ImportProgress, ImportReport
    from vqa_tui.operations.endpoint_trial import EndpointTrial
    from vqa_tui.operations.table_columns import TableColumns


class Library(Door):
    """What runs are made of. The operations are imported where they are called: they bring much along."""

    def __init__(self, workspace: Workspace, writing: Workspace) -> None:
        super().__init__(workspace, writing)
        self._importing: list[str] = []
        self._completer = PathCompleter()
        # A thread of its own: a folder that does not answer must not take those that decode pictures.
        self._completing = ThreadPoolExecutor(1, "complete-path")

    @property
    def importing(self) -> tuple[str, ...]:
        """What is imported from at this moment; it would break off if the app ended now."""
        return tuple(self._importing)

    def dataset_kinds(self) -> "tuple[DatasetKind, ...]":
        from vqa_tui.operations import datasets

        return datasets.dataset_kinds()

    async def datasets(self) -> "list[DatasetView]":
        """Return every dataset, the most recently imported first."""
        from vqa_tui.operations import datasets

        return await datasets.list_datasets(self._workspace)

    async def import_dataset(
        self,
        kind: str,
        path: Path,
        *,
        name: str | None = None,
        images: Path | None = None,
        limit: int | None = None,
        allow_outside: bool = False,
        columns: str = "",
        clips: "ClipWishes | None" = None,
        progress: "Callable[[ImportProgress], None] | None" = None,
    ) -> "ImportReport":
        """Import; what is committed stays when this is cancelled. `progress` is called in the event loop.

        `columns` are entries PART=COLUMN on one line, for a kind that takes them; `clips` is what is wanted of the
        clips of a kind that has some.
        """
        from vqa_tui.operations import datasets

        self._importing.append(str(path))
        try:
            return await datasets.import_dataset(
                self._writing,
                kind,
                path,
                name=name,
                images=images,
                limit=limit,
                allow_outside=allow_outside,
                columns=datasets.parse_columns_line(columns),
                clips=clips,
                progress=progress,
            )
        finally:
            self._importing.remove(str(path))

    async def suggested_name(self, kind: str, path: Path, images: Path | None = None) -> str:
        from vqa_tui.operations import datasets

        return await datasets.suggested_name(self._workspace, kind, path, images)

    async def table_columns(self, kind: str, path: Path) -> "TableColumns":
        """Return the columns of a table, or of a dataset at the Hub."""
        from vqa_tui.operations import table_columns

        return await asyncio.to_thread(table_columns.table_columns, kind, path)

    async def complete_path(self, typed: str, wants: str) -> Completion | None:
        """Return what `typed` may become: folders, and annotation files unless `wants` is `folder`.

        None where a path in another folder was asked for meanwhile: one folder is read at a time.
        """
        self._completer.turn_to(typed)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._completing, self._completer.complete, typed, wants)

    async def contents(self, name: str) -> "DatasetContents":
        """Read every item of a dataset once."""
        from vqa_tui.operations import dataset_contents

        return await dataset_contents.dataset_contents(self._workspace, name)

    async def item_ids(self, name: str, search: str = "") -> "array[int]":
        from vqa_tui.operations import dataset_contents

        return await dataset_contents.item_ids(self._workspace, name, search=search)

    async def items(self, name: str, ids: Sequence[int]) -> "dict[int, Item]":
        from vqa_tui.operations import dataset_contents

        return await dataset_contents.items_by_id(self._workspace, name, ids)

    async def problem_ids(self, name: str) -> "array[int]":
        from vqa_tui.operations import dataset_contents

        return await dataset_contents.problem_ids(self._workspace, name)

    async def problems(self, name: str, ids: Sequence[int]) -> "dict[int, ImportProblem]":
        from vqa_tui.operations import dataset_contents

        return await dataset_contents.problems_by_id(self._workspace, name, ids)

    def check_dataset_name(self, name: str) -> None:
        """Raise VqaError when no dataset can be called so."""
        from vqa_tui.operations import datasets

        datasets.checked_name(name)

    async def rename_dataset(self, name: str, new: str) -> str:
        from vqa_tui.operations import dataset_edits

        return await dataset_edits.rename_dataset(self._writing, name, new)

    async def delete_dataset(self, name: str) -> "DeletedDataset":
        from vqa_tui.operations import dataset_edits

        return await dataset_edits.delete_dataset(self._writing, name)

    async def finish_dataset_deletions(self) -> int:
        """Go on with deletions that were broken off; return how many were."""
        from vqa_tui.operations import dataset_edits

        return await dataset_edits.finish_deletions(self._writing)

    async def recipe_files(self) -> "list[ConfigFile]":
        """Return every recipe by name, to choose from; those that cannot be used say why."""
        from vqa_tui.operations import catalog

        return await asyncio.to_thread(catalog.recipes, self._workspace)

    async def endpoint_files(self) -> "list[ConfigFile]":
        """Return every endpoint by name, to choose from; those that cannot be used say why."""
        from vqa_tui.operations import catalog

        return await asyncio.to_thread(catalog.endpoints, self._workspace)

    async def recipes(self) -> "list[RecipeEntry]":
        """Return every recipe by name with all that is in it, broken ones too."""
        from vqa_tui.operations import config_entries

        return await asyncio.to_thread(config_entries.recipe_entries, self._workspace)

    async def endpoints(self) -> "list[EndpointEntry]":
        """Return every endpoint by name with all that is known of it, broken ones too."""
        from vqa_tui.operations import config_entries

        return await asyncio.to_thread(config_entries.endpoint_entries, self._workspace)

    async def file_text(self, path: Path) -> str:
        from vqa_tui.operations import config_entries

        return await asyncio.to_thread(config_entries.file_text, path)

    def check_copy(self, word: str, taken: Sequence[str], new: str) -> None:
        """Raise VqaError when no `recipe` or `endpoint` can be copied to the name `new`."""
        from vqa_tui.operations import config_copies

        config_copies.check_new_name(word, taken, new)

    async def copy_recipe(self, name: str, new: str) -> Path:
        from vqa_tui.operations import config_copies

        return await asyncio.to_thread(config_copies.copy_recipe, self._workspace, name, new)

    async def copy_endpoint(self, name: str, new: str) -> Path:
        from vqa_tui.operations import config_copies

        return await asyncio.to_thread(config_copies.copy_endpoint, self._workspace, name, new)

    async def try_endpoint(self, name_or_path: str, model: str | None = None) -> "EndpointTrial":
        """Ask it about one tiny picture with each key, in another process: this one holds no key."""
        from vqa_tui.operations import endpoint_trial

        return await endpoint_trial.try_endpoint(self._workspace, name_or_path, model=model)

    async def offered_models(self, name_or_path: str) -> Sequence[str]:
        """Return the models that an endpoint lists, asked for in another process."""
        from vqa_tui.operations import endpoint_trial

        return await endpoint_trial.offered_models(self._workspace, name_or_path)
