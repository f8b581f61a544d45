"""What the wizard reads while one looks around: the lists, prompts, facts of endpoints, and what endpoints answer."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from textual import work
from textual.worker import Worker

from vqa_tui.config.load import ConfigFile
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.datasets import DatasetView
from vqa_tui.operations.endpoint_facts import EndpointFacts
from vqa_tui.operations.endpoint_trial import EndpointTrial
from vqa_tui.operations.planning import RunRequest
from vqa_tui.tui.present.rows import text
from vqa_tui.tui.run_form import RunForm, form_of
from vqa_tui.tui.screens.asking import AskingScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import error_words, tell_error, tell_worker_failure
from vqa_tui.tui.widgets.dataset_step import DatasetStep
from vqa_tui.tui.widgets.endpoint_step import EndpointStep
from vqa_tui.tui.widgets.recipe_step import ConfigChoice, RecipeStep

_SETTLE_S = 0.12
"""Seconds that the cursor rests on a row before its prompt or its facts are read."""
_PICTURE_REST_S = 0.15

Asked = tuple[str, str | None]
"""An endpoint and the model that is asked of it; None is its file's own."""


class WizardReading(AskingScreen[int | None]):
    """The part of the wizard that reads and shows, and decides nothing."""

    WRITES: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, services: Services, like: RunRequest | None) -> None:
        super().__init__()
        self.services = services
        self.form = RunForm() if like is None else form_of(like)
        self.names: dict[int, str] = {}
        """Of all runs, by id."""
        self.item: str | None = None
        """The key of the picture whose prompt is shown."""
        self.models: dict[str, str | None] = {self.form.endpoint: self.form.model} if self.form.endpoint else {}
        """Models picked for endpoints instead of their files'."""
        self.facts: dict[Asked, EndpointFacts] = {}
        self._pictures_ahead = 0
        self._shown_part = ("", 1)
        """Name of a recipe, and which of its requests about the picture is shown, from 1."""
        self._trials: dict[Asked, EndpointTrial | str] = {}
        self._trying: set[Asked] = set()
        self._given: dict[type[RecipeStep] | type[EndpointStep], list[ConfigFile]] = {RecipeStep: [], EndpointStep: []}
        """Recipes and endpoints given by their paths."""
        self._reading = asyncio.Lock()
        """Held by one reading of a list after the other, so that what was read last is shown last."""

    def answers_changed(self) -> None:
        """Something was read or answered that the lines of the wizard show."""
        raise NotImplementedError

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        tell_worker_failure(self, event)

    @work(group="names", exit_on_error=False)
    async def read_names(self) -> None:
        self.names = await self.services.starting.run_names()
        self.answers_changed()

    @work(group="datasets", exclusive=True, exit_on_error=False)
    async def read_datasets(self, cursor: str | None = None) -> None:
        """Show the datasets, with the cursor on `cursor`, else on the one that is chosen."""
        await self.show_datasets(cursor)

    async def show_datasets(self, cursor: str | None = None, *, stay: bool = False) -> None:
        """Show the datasets; to `stay` leaves the cursor where it is."""
        async with self._reading:
            found: Sequence[DatasetView] = await self.services.library.datasets()
            self.query_one(DatasetStep).show(found, chosen=self.form.dataset, cursor=cursor, stay=stay)
        self.answers_changed()

    @work(group="recipes", exclusive=True, exit_on_error=False)
    async def read_recipes(self, cursor: str | None = None) -> None:
        await self._show_recipes(cursor)

    async def _show_recipes(self, cursor: str | None = None, *, stay: bool = False) -> None:
        async with self._reading:
            found = [*self._given[RecipeStep], *await self.services.library.recipe_files()]
            self._show_files(self.query_one(RecipeStep).config, found, self.form.recipe, cursor, stay=stay)

    @work(group="endpoints", exclusive=True, exit_on_error=False)
    async def read_endpoints(self, cursor: str | None = None) -> None:
        await self._show_endpoints(cursor)

    async def _show_endpoints(self, cursor: str | None = None, *, stay: bool = False) -> None:
        async with self._reading:
            found = [*self._given[EndpointStep], *await self.services.library.endpoint_files()]
            self._show_files(self.query_one(EndpointStep).config, found, self.form.endpoint, cursor, stay=stay)

    @work(group="again", exclusive=True, exit_on_error=False)
    async def read_again(self) -> None:
        """Show what was imported, copied or edited meanwhile; every cursor stays where it is."""
        await self.show_datasets(stay=True)
        await self._show_recipes(stay=True)
        await self._show_endpoints(stay=True)

    def _show_files(
        self, config: ConfigChoice, found: Sequence[ConfigFile], chosen: str | None, cursor: str | None, *, stay: bool
    ) -> None:
        """Show files to choose from; what a run is to be like may have come from a path, or from the run alone."""
        if chosen is not None and chosen not in {file.name for file in found}:
            found = [_unlisted(chosen), *found]
        config.show(found, chosen=chosen, cursor=cursor, stay=stay)
        self.answers_changed()

    @work(group="path", exclusive=True, exit_on_error=False)
    async def take_path(self, kind: type[RecipeStep] | type[EndpointStep], path: str) -> None:
        """Put the recipe or endpoint at a path into its list, under the cursor; say what is wrong with it."""
        starting = self.services.starting
        try:
            file = await (starting.recipe_at(path) if kind is RecipeStep else starting.endpoint_at(path))
        except VqaError as error:
            tell_error(self, error)
            return
        self._given[kind] = [file, *(other for other in self._given[kind] if other.name != file.name)]
        await (self._show_recipes(file.name) if kind is RecipeStep else self._show_endpoints(file.name))
        step = self.query_one(kind)
        if step.display:
            step.config.choices.focus_rows()

    def other_picture(self, by: int) -> None:
        """Show the prompt for the picture after the one that is shown, or before it."""
        self._pictures_ahead += by
        self.read_preview(settle_s=0.0)

    def _part(self, recipe: str) -> int:
        """Return which request about the picture is shown, from 1; of another recipe the first."""
        shown, number = self._shown_part
        return number if shown == recipe else 1

    @work(group="preview", exclusive=True, exit_on_error=False)
    async def read_preview(self, *, settle_s: float = _SETTLE_S) -> None:
        """Show the prompt of the recipe under the cursor; a newer call within `settle_s` seconds takes its place."""
        await asyncio.sleep(settle_s)
        step = self.query_one(RecipeStep)
        file, dataset = step.config.current, self.form.dataset
        if file is None or dataset is None:
            return
        try:
            while True:
                ahead = self._pictures_ahead
                by: Literal[-1, 0, 1] = 1 if ahead > 0 else -1 if ahead < 0 else 0
                preview = await self.services.starting.preview(
                    dataset, file.name, self.item, self._part(file.name), by, self.form.like
                )
                self.item, self._shown_part = preview.item, (file.name, preview.part.number)
                self._pictures_ahead -= by
                if not self._pictures_ahead:
                    break
        except VqaError as error:
            self._pictures_ahead = 0
            step.prompt.show_problem(error_words(error))
            return
        if step.prompt.show(preview):
            self._read_picture(preview.picture)

    @work(group="picture", exclusive=True, exit_on_error=False)
    async def _read_picture(self, path: str) -> None:
        await asyncio.sleep(_PICTURE_REST_S)
        prompt = self.query_one(RecipeStep).prompt
        try:
            image = await self.services.thumbnail(path)
        except VqaError as error:
            prompt.show_remark(path, text(error.message, "$text-warning"))
            return
        prompt.show_picture(path, image)

    @property
    def asked(self) -> Asked | None:
        """The endpoint under the cursor, with the model that was picked for it."""
        file = self.query_one(EndpointStep).config.current
        return None if file is None else (file.name, self.models.get(file.name))

    @work(group="facts", exclusive=True, exit_on_error=False)
    async def read_facts(self, *, settle_s: float = _SETTLE_S) -> None:
        """Show what is known of the endpoint under the cursor, and what it answered if it was tried."""
        await asyncio.sleep(settle_s)
        asked = self.asked
        if asked is None:
            return
        step = self.query_one(EndpointStep)
        try:
            self.facts[asked] = await self.services.starting.endpoint_facts(*asked)
        except VqaError as error:
            step.show_problem(error_words(error))
        else:
            step.show_facts(self.facts[asked])
        self._show_trial(asked)
        self.answers_changed()

    @work(group="chosen-facts", exclusive=True, exit_on_error=False)
    async def read_chosen_facts(self) -> None:
        """Learn whether the price of the chosen endpoint is known; what is wrong with it is told by its step."""
        if self.form.endpoint is None:
            return
        asked = (self.form.endpoint, self.form.model)
        try:
            self.facts[asked] = await self.services.starting.endpoint_facts(*asked)
        except VqaError:
            return  # The step of the endpoint, and the plan, say it in full.
        self.answers_changed()

    def is_being_tried(self, asked: Asked) -> bool:
        return asked in self._trying

    @work(group="trial", exit_on_error=False)
    async def try_endpoint(self, asked: Asked) -> None:
        """Ask the endpoint for real, in a process of its own; leaving the wizard ends that."""
        self._trying.add(asked)
        self._show_trial(asked)
        try:
            self._trials[asked] = await self.services.library.try_endpoint(*asked)
        except VqaError as error:
            self._trials[asked] = error_words(error)
        finally:
            self._trying.discard(asked)
        self._show_trial(asked)

    def _show_trial(self, asked: Asked) -> None:
        if self.asked == asked:
            under_way = asked in self._trying
            self.query_one(EndpointStep).show_trial(self._trials.get(asked), under_way=under_way)
            self.refresh_bindings()


def _unlisted(name: str) -> ConfigFile:
    return ConfigFile(name, "", Path(name))
