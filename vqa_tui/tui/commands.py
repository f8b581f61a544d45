"""The palette and the help, both made from the bindings of the screen that is shown."""

from collections.abc import Iterator
from functools import partial

from textual.app import App
from textual.binding import ActiveBinding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.screen import Screen

from vqa_tui.safe_text import clean
from vqa_tui.tui.present.help_text import KeyHelp

_PALETTE_ITSELF = "command_palette"


def key_helps(app: "App[None]", screen: "Screen[object]") -> list[KeyHelp]:
    """Return every key that is bound on `screen`, those of the screen and its widgets before those of the app."""
    found: dict[str, tuple[ActiveBinding, list[str]]] = {}
    for active in screen.active_bindings.values():
        if active.binding.system or not active.binding.tooltip:
            continue
        name = active.binding.id or active.binding.action
        keys = found.setdefault(name, (active, []))[1]
        shown = app.get_key_display(active.binding)
        if shown not in keys:
            keys.append(shown)
    groups = {id(app): "Everywhere", id(screen): "This screen"}
    helps = [
        KeyHelp(
            groups.get(id(active.node), "List"),
            " ".join(keys),
            active.binding.description,
            active.binding.tooltip,
            "" if active.enabled else reason(active),
        )
        for active, keys in found.values()
    ]
    order = ["This screen", "List", "Everywhere"]
    return sorted(helps, key=lambda each: order.index(each.group))


def reason(active: ActiveBinding) -> str:
    """Return why a grey key cannot work now, in the words of the screen that it belongs to."""
    why_not = getattr(active.node, "why_not", None)
    action = active.binding.action.partition("(")[0].rpartition(".")[2]
    words = why_not(action) if callable(why_not) else None
    return words or "This key cannot work now."


class ScreenCommands(Provider):
    """Every action of the screen by its name, with its key; grey ones say why."""

    def _commands(self) -> Iterator[tuple[str, str, str]]:
        """Yield (title, help, key)."""
        seen: set[str] = set()
        for key, active in self.screen.active_bindings.items():
            binding = active.binding
            if binding.system or not binding.tooltip or binding.action in seen or _PALETTE_ITSELF in binding.action:
                continue
            seen.add(binding.action)
            title = f"{clean(binding.description, one_line=True).capitalize()} ({self.app.get_key_display(binding)})"
            yield title, binding.tooltip if active.enabled else f"Not now: {reason(active)}", key

    async def discover(self) -> Hits:
        for title, words, key in self._commands():
            yield DiscoveryHit(Content(title), partial(self.app.simulate_key, key), text=title, help=words)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, words, key in self._commands():
            score = max(matcher.match(title), matcher.match(words) * 0.8)
            if score > 0:
                yield Hit(score, matcher.highlight(title), partial(self.app.simulate_key, key), text=title, help=words)
