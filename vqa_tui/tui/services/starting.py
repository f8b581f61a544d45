"""What the wizard shows of a choice before a run is made of it; what there is to choose from is the library's."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vqa_tui.operations import runs
from vqa_tui.tui.services.door import Door

if TYPE_CHECKING:
    from vqa_tui.config.load import ConfigFile
    from vqa_tui.operations.endpoint_facts import EndpointFacts
    from vqa_tui.operations.planning import RunRequest
    from vqa_tui.operations.preview import PromptPreview

# The operations are imported where they are called: they bring picture sources, templates and price lists along, which
# the first screen need not wait for.


class Starting(Door):
    """Recipes and endpoints at paths, facts of an endpoint, the prompt for a picture, and a run to start from."""

    async def recipe_at(self, path: str) -> "ConfigFile":
        """Return the recipe at a path. Raises VqaError when it cannot be used."""
        from vqa_tui.config.load import ConfigFile
        from vqa_tui.operations import catalog

        found = await asyncio.to_thread(catalog.recipe, self._workspace, path)
        return ConfigFile(path, found.description, Path(path))

    async def endpoint_at(self, path: str) -> "ConfigFile":
        """Return the endpoint at a path. Raises VqaError when it cannot be used."""
        from vqa_tui.config.load import ConfigFile
        from vqa_tui.operations import catalog

        found = await asyncio.to_thread(catalog.endpoint, self._workspace, path)
        return ConfigFile(path, found.description, Path(path))

    async def endpoint_facts(self, name_or_path: str, model: str | None = None) -> "EndpointFacts":
        """Return what is known of an endpoint without asking it, and which of its keys have a value."""
        from vqa_tui.operations.endpoint_facts import endpoint_facts

        return await asyncio.to_thread(endpoint_facts, self._workspace, name_or_path, model=model)

    async def preview(
        self,
        dataset: str,
        recipe: str,
        item: str | None,
        part: int,
        step: Literal[-1, 0, 1] = 0,
        like: int | None = None,
    ) -> "PromptPreview":
        """Return the prompt of one request about a picture, counted from 1, or of the one beside it."""
        from vqa_tui.operations.preview import preview_prompt

        return await preview_prompt(self._workspace, dataset, recipe, item, step=step, like=like, part=part)

    async def run_names(self) -> dict[int, str]:
        """Return the name of every run by its id."""
        return {run.id: run.name for run in await runs.list_runs(self._workspace)}

    async def request_like(self, run_id: int) -> "RunRequest":
        """Return a request for the same as that run."""
        from vqa_tui.operations.planning import request_like

        return await request_like(self._workspace, run_id)
