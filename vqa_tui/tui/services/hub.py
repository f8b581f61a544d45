"""Downloads from the Hugging Face Hub and uploads to it, in threads that nobody waits for when the app ends."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from vqa_tui.operations.workspace import Workspace
from vqa_tui.tui.services.door import Door

if TYPE_CHECKING:
    from vqa_tui.operations.hub_download import DownloadProgress, DownloadReport, KnownDataset
    from vqa_tui.operations.hub_upload import UploadPlan, UploadReport

Result = TypeVar("Result")


class DownloadStopped(Exception):
    """A download ended because that was wanted."""


class Hub(Door):
    """What the Hub holds and takes. The operations are imported where they are called, as in the library."""

    def __init__(self, workspace: Workspace, writing: Workspace) -> None:
        super().__init__(workspace, writing)
        self._at_work: list[str] = []

    @property
    def at_work(self) -> tuple[str, ...]:
        """What goes on at this moment, such as `download of vqa-rad`; it would break off if the app ended now."""
        return tuple(self._at_work)

    def known_datasets(self) -> "tuple[KnownDataset, ...]":
        from vqa_tui.operations.hub_download import KNOWN

        return tuple(KNOWN.values())

    def has_token(self) -> bool:
        """Return whether the environment holds a token; which one is nobody's business here."""
        from vqa_tui.hub.client import token

        return bool(token())

    async def download(
        self,
        name: str,
        folder: Path | None,
        *,
        stop: threading.Event,
        progress: "Callable[[DownloadProgress], None]",
    ) -> "DownloadReport":
        """Download a known dataset; see operations.hub_download. `progress` is called in the event loop.

        Raises DownloadStopped soon after `stop` was set: with the next piece that comes, or when an archive is
        unpacked. A call that is cancelled sets it.
        """
        from vqa_tui.operations.hub_download import download_dataset

        loop = asyncio.get_running_loop()

        def tell(state: "DownloadProgress") -> None:
            if stop.is_set():
                raise DownloadStopped
            _in_loop(loop, progress, state)

        with self._working(f"download of {name}"):
            try:
                return await _in_thread(lambda: download_dataset(name, folder, progress=tell))
            except asyncio.CancelledError:
                stop.set()
                raise

    async def plan_upload(self, path: Path, repo_id: str, *, license_: str, allow_outside: bool) -> "UploadPlan":
        """Return what an upload would bring. Raises VqaError, also where there is no token."""
        from vqa_tui.hub.upload import require_token
        from vqa_tui.operations.hub_upload import plan_upload

        require_token()
        return await _in_thread(lambda: plan_upload(path, repo_id, license=license_, allow_outside=allow_outside))

    async def upload(self, plan: "UploadPlan", *, private: bool, progress: Callable[[int], None]) -> "UploadReport":
        """Bring what was planned to the Hub. `progress` is told in the event loop how many files are there."""
        from vqa_tui.operations.hub_upload import upload

        loop = asyncio.get_running_loop()
        with self._working(f"upload to {plan.repo_id}"):
            return await _in_thread(
                lambda: upload(plan, private=private, progress=lambda files: _in_loop(loop, progress, files))
            )

    @contextmanager
    def _working(self, words: str) -> Iterator[None]:
        self._at_work.append(words)
        try:
            yield
        finally:
            self._at_work.remove(words)


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *arguments: object) -> None:
    """Call something in the loop, from a thread that may outlive it."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *arguments)


async def _in_thread(work: Callable[[], Result]) -> Result:
    """Do blocking work in a thread of its own: an ending app waits for those of the loop, however long they take."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        try:
            result = work()
        except BaseException as error:
            _in_loop(loop, settle, None, error)
        else:
            _in_loop(loop, settle, result, None)

    threading.Thread(target=run, name="hub", daemon=True).start()
    return await done
