"""The endpoints, opened from the palette: where recipes are asked, and whether that works."""

from collections.abc import Coroutine
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.config_entries import EndpointEntry
from vqa_tui.tui.present.configs import (
    ENDPOINT_COLUMNS,
    asking_text,
    endpoint_detail,
    endpoint_row,
    models_text,
    trouble_text,
)
from vqa_tui.tui.present.endpoint_text import trial_text
from vqa_tui.tui.present.rows import Row
from vqa_tui.tui.screens.configs import ConfigsScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.live_table import LiveTable


class EndpointsScreen(ConfigsScreen[EndpointEntry]):
    """All endpoints by name, one's own and the shipped ones; an answer stays until the cursor leaves its endpoint."""

    WORD = "endpoint"
    COLUMNS = ENDPOINT_COLUMNS
    WRITES = frozenset({"copy_entry", "edit", "check"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "check", "check", id="endpoints.check", tooltip="Ask about one tiny picture with each key"),
        Binding("m", "models", "models", id="endpoints.models", tooltip="List the models that it offers"),
        Binding("c", "copy_entry", "copy", id="endpoints.copy", tooltip="Copy it to start your own; no key goes along"),
    ]

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self._asking: str | None = None
        """The endpoint that is being asked."""
        self._answers: dict[str, Content] = {}
        """What each endpoint answered last, by its name."""

    async def read_entries(self) -> list[EndpointEntry]:
        return await self.services.library.endpoints()

    def row_of(self, entry: EndpointEntry) -> Row:
        return endpoint_row(entry)

    def detail_of(self, entry: EndpointEntry, file: str, width: int) -> Content:
        return endpoint_detail(entry, file, width)

    async def copy(self, name: str, new: str) -> Path:
        return await self.services.library.copy_endpoint(name, new)

    def why_not(self, action: str) -> str | None:
        if action in ("check", "models"):
            if self._asking is not None:
                return f"{self._asking} is being asked; wait for its answer."
            if self.chosen is not None and self.chosen.endpoint is None:
                return "This endpoint cannot be used; the reason stands beside it."
        return super().why_not(action)

    @on(LiveTable.CursorMoved)
    def _show_answer(self) -> None:
        """Show what the endpoint under the cursor answered."""
        entry = self.chosen
        answer = self._answers.get(entry.name) if entry is not None else None
        line = self.query_one("#library-answer", Static)
        line.display = answer is not None
        if answer is not None:
            line.update(answer)

    @work(group="ask", exit_on_error=False)
    async def action_check(self) -> None:
        """Check the endpoint under the cursor, with one real request for each key."""
        entry = self.chosen
        if entry is None or self.reason("check"):
            return

        async def answer() -> Content:
            return trial_text(await self.services.library.try_endpoint(entry.name))

        await self._ask(entry.name, f"asking {entry.name} about one tiny picture with each key …", "Check", answer())

    @work(group="ask", exit_on_error=False)
    async def action_models(self) -> None:
        """List the models of the endpoint under the cursor."""
        entry = self.chosen
        if entry is None or entry.endpoint is None or self.reason("models"):
            return
        model = entry.endpoint.model

        async def answer() -> Content:
            return models_text(await self.services.library.offered_models(entry.name), model)

        await self._ask(entry.name, f"asking {entry.name} which models it offers …", "Models", answer())

    async def _ask(self, name: str, words: str, what: str, asking: Coroutine[object, object, Content]) -> None:
        """Show what an endpoint answers, `words` until then, or under the title `what` why it does not."""
        self._begin(name, words)
        try:
            answer = await asking
        except VqaError as error:
            answer = trouble_text(what, str(error))
        except Exception:
            self._end(name, None)
            raise
        self._end(name, answer)

    def _begin(self, name: str, words: str) -> None:
        self._asking, self._answers[name] = name, asking_text(words)
        self._show_answer()
        self.query_one("#library-detail").scroll_home(animate=False)
        self.refresh_bindings()

    def _end(self, name: str, answer: Content | None) -> None:
        self._asking = None
        if answer is None:
            del self._answers[name]
        else:
            self._answers[name] = answer
        self._show_answer()
        self.refresh_bindings()
