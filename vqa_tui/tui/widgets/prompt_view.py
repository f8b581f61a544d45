"""What would be asked about one picture: the picture, and both messages as they would be sent."""

from PIL import Image
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from vqa_tui.operations.preview import PromptPreview
from vqa_tui.tui.present.prompt_preview import (
    preview_facts,
    preview_head,
    preview_problem,
    prompt_text,
    user_title,
)
from vqa_tui.tui.widgets.picture import Picture
from vqa_tui.tui.widgets.text_box import TextBox


class PromptView(TextBox):
    """Shows the prompt that it is given; keeps its picture when the same one is shown again."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._picture_path = ""

    def compose(self) -> ComposeResult:
        yield Static(Content.styled("no picture", "$foreground 60%"), id="prompt-head")
        yield Static("", id="prompt-problem")
        yield Picture(id="prompt-picture")
        yield Static("", id="prompt-system", classes="prompt-part")
        yield Static("", id="prompt-user", classes="prompt-part")

    def on_mount(self) -> None:
        self.border_title = "Prompt"
        self.query_one("#prompt-system").border_title = "System"
        self._show_parts(problem=False, system=False, user=False)

    def show(self, preview: PromptPreview) -> bool:
        """Show a prompt; return whether its picture is another one and has to be read."""
        self.query_one("#prompt-head", Static).update(preview_head(preview))
        self.border_subtitle = preview_facts(preview)
        self.query_one("#prompt-system", Static).update(prompt_text(preview.system))
        self.query_one("#prompt-user", Static).update(prompt_text(preview.user))
        self.query_one("#prompt-user").border_title = user_title(preview)
        self._show_parts(problem=False, system=bool(preview.system.strip()), user=True)
        if self._picture_path == preview.picture:
            return False
        self._picture_path = preview.picture
        self._picture.show_remark(Content.styled("reading the picture …", "$foreground 60%"), keep_height=True)
        return True

    def show_problem(self, words: str) -> None:
        """Say why there is no prompt."""
        self.query_one("#prompt-problem", Static).update(preview_problem(words))
        self._show_parts(problem=True, system=False, user=False)

    def show_picture(self, path: str, image: Image.Image) -> None:
        """Show the decoded picture of `path`, unless another one is shown by now."""
        if path == self._picture_path:
            self._picture.show_picture(image)

    def show_remark(self, path: str, remark: Content) -> None:
        """Say why there is no picture of `path`, unless another one is shown by now."""
        if path == self._picture_path:
            self._picture.show_remark(remark)

    @property
    def _picture(self) -> Picture:
        return self.query_one(Picture)

    def _show_parts(self, *, problem: bool, system: bool, user: bool) -> None:
        for part, is_shown in (("problem", problem), ("system", system), ("user", user)):
            self.query_one(f"#prompt-{part}").display = is_shown
