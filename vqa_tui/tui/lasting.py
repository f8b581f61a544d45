"""Work that a screen begins and that goes on where the screen is left: what a person asked for is not taken back."""

from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from textual.screen import Screen
from textual.worker import Worker

Owner = TypeVar("Owner", bound=Screen[Any])
Given = ParamSpec("Given")
Result = TypeVar("Result")


def lasting(
    *, group: str
) -> Callable[
    [Callable[Concatenate[Owner, Given], Coroutine[Any, Any, Result]]],
    Callable[Concatenate[Owner, Given], Worker[Result]],
]:
    """Have a method of a screen run in a worker of the app, as `work` has it run in one of the screen.

    Textual cancels the workers of a screen that goes. The app tells what such a worker fails with; words told by the
    screen are seen all the same; widgets of the screen are there only while it is not `is_left`.
    """

    def decorate(
        method: Callable[Concatenate[Owner, Given], Coroutine[Any, Any, Result]],
    ) -> Callable[Concatenate[Owner, Given], Worker[Result]]:
        @wraps(method)
        def begin(screen: Owner, /, *args: Given.args, **kwargs: Given.kwargs) -> Worker[Result]:
            begun = partial(method, screen, *args, **kwargs)
            worker: Worker[Result] = screen.app.run_worker(begun, name=_name(screen), group=group, exit_on_error=False)
            return worker

        return begin

    return decorate


def began(screen: Screen[Any], worker: Worker[Any]) -> bool:
    """Tell whether `worker` is one of the screen, or of the app and begun by the screen."""
    return worker.node is screen or worker.name == _name(screen)


def _name(screen: Screen[Any]) -> str:
    # A worker holds on to its screen, so no other one has that number while it runs.
    return f"begun by screen {id(screen)}"
