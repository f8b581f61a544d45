"""The palette and the help, both made from the bindings of the screen that is shown."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import events, work
from textual.app import App
from textual.binding import ActiveBinding
from textual.command import CommandInput, CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.system_commands import SystemCommandsProvider
from textual.theme import ThemeProvider

from vqa_tui.safe_text import clean
from vqa_tui.tui.present.help_text import KeyHelp
from vqa_tui.tui.screens.leaving import LeavableScreen
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.typed_keys import is_typed

_PALETTE_ITSELF = "command_palette"
_MOVES = ("list.", "help.")
"""Ids of keys that only move within what is shown: a list of actions has no use for them."""
_GROUPS = ("This screen", "Modes", "List", "Everywhere")


def key_helps(app: "App[None]", screen: "Screen[object]") -> list[KeyHelp]:
    """Return every key that is bound on `screen`, those of the screen and its widgets before those of the app."""
    found: dict[str, tuple[ActiveBinding, list[str]]] = {}
    for key, active in screen.active_bindings.items():
        if active.binding.system or not active.binding.tooltip or is_typed(screen, key):
            continue
        name = active.binding.id or active.binding.action
        keys = found.setdefault(name, (active, []))[1]
        shown = app.get_key_display(active.binding)
        if shown not in keys:
            keys.append(shown)
    helps = [
        KeyHelp(
            _group(app, screen, active),
            " ".join(keys),
            active.binding.description,
            active.binding.tooltip,
            "" if active.enabled else reason(active),
        )
        for active, keys in found.values()
    ]
    return sorted(helps, key=lambda each: _GROUPS.index(each.group))


def _group(app: "App[None]", screen: "Screen[object]", active: ActiveBinding) -> str:
    if active.node is app:
        return "Modes" if active.binding.action.startswith("mode(") else "Everywhere"
    return "This screen" if active.node is screen else "List"


def reason(active: ActiveBinding) -> str:
    """Return why a grey key cannot work now, in the words of the screen that it belongs to."""
    ask = getattr(active.node, "reason", None) or getattr(active.node, "why_not", None)
    action = active.binding.action.partition("(")[0].rpartition(".")[2]
    words = ask(action) if callable(ask) else None
    return words or "This key cannot work now."


def _bound(screen: "Screen[object]") -> dict[str, ActiveBinding]:
    """Return what is bound where the focus is, also on keys that are letters in a text field that has it."""
    found = screen.active_bindings
    app, focused = screen.app, screen.focused
    for node in focused.ancestors if focused is not None else ():
        for key, binding in node._bindings:
            state = app._check_action_state(binding.action, node)
            if key not in found and state is not False:
                found[key] = ActiveBinding(node, binding, bool(state), binding.tooltip)
        if node.is_modal:
            break
    return found


class ScreenCommands(SystemCommandsProvider):
    """Every action of the screen by its name, with its key; grey ones say why. After them what has no key.

    One provider for both: what several find is listed in the order in which they happen to be asked.
    """

    def _commands(self) -> list[tuple[str, str, ActiveBinding]]:
        """Return (title, help, what is bound): what the screen does first, then its lists, then the app."""
        found: dict[str, tuple[int, str, str, ActiveBinding]] = {}
        for active in _bound(self.screen).values():
            binding = active.binding
            if binding.system or not binding.tooltip or binding.action in found or _PALETTE_ITSELF in binding.action:
                continue
            if binding.id is not None and binding.id.startswith(_MOVES):
                continue
            title = f"{clean(binding.description, one_line=True).capitalize()} ({self.app.get_key_display(binding)})"
            words = binding.tooltip if active.enabled else f"Not now: {reason(active)}"
            rank = 0 if active.node is self.screen else 2 if active.node is self.app else 1
            found[binding.action] = (rank, title, words, active)
        return [(title, words, active) for _, title, words, active in sorted(found.values(), key=lambda each: each[0])]

    async def _run(self, active: ActiveBinding) -> None:
        """Do what the key does, wherever the focus is; say why where it cannot be done."""
        if not await self.app.run_action(active.binding.action, active.node):
            tell(self.screen, reason(active), severity="warning")

    async def discover(self) -> Hits:
        for title, words, active in self._commands():
            yield DiscoveryHit(Content(title), partial(self._run, active), text=title, help=words)
        async for hit in super().discover():
            yield hit

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, words, active in self._commands():
            score = max(matcher.match(title), matcher.match(words) * 0.8)
            if score > 0:
                yield Hit(score, matcher.highlight(title), partial(self._run, active), text=title, help=words)
        async for hit in super().search(query):
            yield hit


_GATHER = vars(CommandPalette._gather_commands)["__wrapped__"]


class Palette(CommandPalette, LeavableScreen[None]):
    """The palette of Textual; what was typed before its field had the focus is not lost, and leaving the app while it
    searches is no error: its parts go first, and the search would look for them."""

    _ahead = 0
    """Characters that were typed so."""

    @work(exclusive=True, group=CommandPalette._GATHER_COMMANDS_GROUP)
    async def _gather_commands(self, search_value: str) -> None:
        try:
            await _GATHER(self, search_value)
        except NoMatches:
            if self._is_whole:
                raise

    def _watch__list_visible(self) -> None:
        if self._is_whole:
            super()._watch__list_visible()

    async def _watch__show_busy(self) -> None:
        if self._is_whole:
            await super()._watch__show_busy()

    @property
    def _is_whole(self) -> bool:
        return self.is_running and bool(self.query(CommandList))

    def type_ahead(self, character: str) -> None:
        """Put a character before what was typed once the field had the focus."""
        self.call_after_refresh(self._put_ahead, character)

    def _put_ahead(self, character: str) -> None:
        # It is called by the screen that is shown then: another one where the palette was left at once.
        if not self.is_attached or not self.is_current:
            return
        field = self.query_one(CommandInput)
        cursor = field.cursor_position
        field.value = f"{field.value[: self._ahead]}{character}{field.value[self._ahead :]}"
        field.cursor_position = cursor + 1
        self._ahead += 1


class CommandingApp(App[None]):
    """An app whose keys say why they are grey, and whose palette takes what is typed fast."""

    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {ScreenCommands}

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def search_themes(self) -> None:
        """Show the themes in a palette."""
        self.push_screen(Palette(providers=[ThemeProvider], placeholder="Search for themes…"))

    def on_key(self, event: events.Key) -> None:
        """Take a key that nothing took: its screen has a word about it, or the palette has just covered that screen."""
        if isinstance(self.screen, Palette) and event.is_printable and event.character is not None:
            self.screen.type_ahead(event.character)
            return
        active = self.screen.active_bindings.get(event.key)
        if active is not None and not active.enabled:
            tell(self, reason(active), severity="warning")
