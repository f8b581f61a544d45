"""The wizard's second step: what is asked, with the prompt for a picture beside it."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from vqa_tui.config.load import ConfigFile
from vqa_tui.tui.present.wizard_rows import CONFIG_COLUMNS, config_about, config_row
from vqa_tui.tui.widgets.choice_list import ChoiceList
from vqa_tui.tui.widgets.prompt_view import PromptView


class ConfigChoice(Vertical):
    """Recipes or endpoints to choose from, by name or by path, and what the one under the cursor says of itself."""

    def __init__(self, *, id: str, title: str, path_hint: str) -> None:
        super().__init__(classes="config-choice")
        self._list_id, self._title, self._path_hint = id, title, path_hint
        self._files: dict[str, ConfigFile] = {}

    def compose(self) -> ComposeResult:
        yield ChoiceList(CONFIG_COLUMNS, id=self._list_id, title=self._title, path_hint=self._path_hint)
        yield Static("", classes="about")

    @property
    def choices(self) -> ChoiceList:
        return self.query_one(ChoiceList)

    @property
    def current(self) -> ConfigFile | None:
        """The one under the cursor."""
        return self._files.get(str(self.choices.cursor_id))

    def file(self, name: object) -> ConfigFile | None:
        return self._files.get(str(name))

    def show(
        self, files: Sequence[ConfigFile], *, chosen: str | None, cursor: str | None = None, stay: bool = False
    ) -> None:
        """Show what there is; the cursor goes to `cursor`, else to what is chosen, unless it is to `stay`."""
        self._files = {file.name: file for file in files}
        self.choices.show(
            [config_row(file, chosen) for file in files],
            cursor=None if stay else cursor or chosen,
            none="none was found",
        )
        self._tell_about(self.choices.cursor_id)

    @on(ChoiceList.Moved)
    def _moved(self, event: ChoiceList.Moved) -> None:
        self._tell_about(event.row_id)

    def _tell_about(self, name: object) -> None:
        file = self.file(name)
        self.query_one(".about", Static).update(config_about(file) if file else Content(""))


class RecipeStep(Horizontal):
    """The recipes, and the prompt of the one under the cursor."""

    def compose(self) -> ComposeResult:
        yield ConfigChoice(id="recipes", title="Recipe", path_hint="or a path: ~/my.yaml")
        yield PromptView(id="prompt")

    @property
    def config(self) -> ConfigChoice:
        return self.query_one(ConfigChoice)

    @property
    def prompt(self) -> PromptView:
        return self.query_one(PromptView)
