"""A field for a path that completes like a shell: Tab goes on as far as it is sure, arrows choose among the rest."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList

from vqa_tui.tui.path_completion import Completion, real_path, typeable

_SHOWN = 50
"""Names in the list below the field; who sees so many types one more letter."""


class PathInput(Input):
    """The line itself. What is pasted into it is made harmless and still means the same path."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "tab", "complete", "complete", id="path.complete", tooltip="Complete the path, or go to the next field"
        ),
        Binding("down", "choose(1)", "Next name", id="path.next", tooltip="The next name of the list", show=False),
        Binding("up", "choose(-1)", "Name before", id="path.before", tooltip="The name before it", show=False),
    ]

    @property
    def field(self) -> "PathField":
        field = self.parent
        assert isinstance(field, PathField)
        return field

    def action_complete(self) -> None:
        self.field.complete()

    def action_choose(self, by: int) -> None:
        self.field.choose(by)

    def replace(self, text: str, start: int, end: int) -> None:
        """Take typed or pasted text; of pasted characters only those that a terminal must not see are changed."""
        harmless = "".join(character if character == "\\" else typeable(character) for character in text)
        super().replace(harmless, start, end)

    async def action_submit(self) -> None:
        """Enter takes the chosen name; without one it is the end of the field."""
        if not self.field.take_chosen():
            await super().action_submit()


class PathField(Vertical):
    """The line, and below it the names that the path may go on with."""

    @dataclass
    class CompletionWanted(Message):
        """The path is another one: what may it become?"""

        field: "PathField"
        typed: str

        @property
        def control(self) -> "PathField":
            return self.field

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, PathField.CompletionWanted) and message.field is self.field

    @dataclass
    class Left(Message):
        """Tab had nothing to complete, or Enter was pressed: the next field is wanted."""

        field: "PathField"

    def __init__(self, *, id: str, value: str = "", placeholder: str = "") -> None:
        super().__init__(id=id)
        self._start = typeable(value)
        self._placeholder = placeholder
        self._completion: Completion | None = None
        self._tab_waits = False

    def compose(self) -> ComposeResult:
        yield PathInput(self._start, placeholder=self._placeholder, compact=True, select_on_focus=False)
        names = OptionList(markup=False, compact=True)
        names.can_focus = False
        yield names

    def on_mount(self) -> None:
        self.names.display = False

    @property
    def line(self) -> PathInput:
        return self.query_one(PathInput)

    @property
    def names(self) -> OptionList:
        return self.query_one(OptionList)

    @property
    def _known(self) -> Completion | None:
        """What the path may become; None while that was read of another one."""
        found = self._completion
        return found if found is not None and found.typed == self.line.value else None

    @property
    def path(self) -> str:
        """The path as the file system knows it; empty when nothing is typed."""
        return real_path(self.line.value)

    def set_placeholder(self, words: str) -> None:
        self.line.placeholder = words

    def set_path(self, path: str) -> None:
        """Put a path of the file system into the field."""
        self.line.value = typeable(path)

    @on(Input.Changed)
    def _changed(self) -> None:
        self._tab_waits = False
        if self._known is None:
            # Names that another path could have gone on with are no choice any more.
            self.names.clear_options()
            self.names.display = False
        if self.line.has_focus:
            self.ask()

    def ask(self) -> None:
        """Ask what the path may become."""
        self.post_message(self.CompletionWanted(self, self.line.value))

    def take(self, completion: Completion) -> None:
        """Take in what the path may become, unless it is another one by now."""
        if completion.typed != self.line.value:
            return
        self._completion = completion
        names = self.names
        names.clear_options()
        names.add_options([Content(candidate.name) for candidate in completion.candidates[:_SHOWN]])
        names.highlighted = None
        self._show_names()
        if self._tab_waits:
            self.complete()

    def _show_names(self) -> None:
        found = self._completion
        more = found.total - min(found.total, _SHOWN) if found else 0
        self.names.border_subtitle = f"and {more} more" if more else ""
        self.names.display = bool(found and found.candidates and self.line.has_focus)

    def complete(self) -> None:
        """Go on with the path as far as all names agree; among several choose the next; with none leave the field."""
        found = self._known
        if found is None:
            self._tab_waits = bool(self.line.value)
            if self.line.value:
                self.ask()
            else:
                self.leave()
            return
        self._tab_waits = False
        only = found.candidates[0].typed if found.total == 1 else ""
        if only and only != found.typed:
            self._write(only)
        elif len(found.common) > len(found.typed):
            self._write(found.common)
        elif found.total > 1:
            self.choose(1)
        else:
            self.leave()

    def choose(self, by: int) -> None:
        """Go through the names of the list."""
        names = self.names
        if not names.display or not names.option_count or self._known is None:
            return
        at = names.highlighted
        names.highlighted = (0 if by > 0 else -1) % names.option_count if at is None else (at + by) % names.option_count

    def take_chosen(self) -> bool:
        """Write the chosen name into the line; return whether one was chosen."""
        at, found = self.names.highlighted, self._known
        if not self.names.display or at is None or found is None:
            return False
        self._write(found.candidates[at].typed)
        return True

    def _write(self, typed: str) -> None:
        self.line.value = typed
        self.line.cursor_position = len(typed)

    def leave(self) -> None:
        self.names.display = False
        self.post_message(self.Left(self))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.leave()

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if (found := self._known) is not None:
            self._write(found.candidates[event.option_index].typed)
            self.line.focus()

    def on_descendant_focus(self, _event: events.DescendantFocus) -> None:
        self.ask()

    def on_descendant_blur(self, _event: events.DescendantBlur) -> None:
        self.names.display = False
