"""An app that tells a person who looks elsewhere when a run paused, ended, or needs them."""

from collections.abc import Sequence
from functools import partial

from textual import work

from vqa_tui.domain.failure import VqaError
from vqa_tui.tui.notifier import Notifier
from vqa_tui.tui.personal import PersonalApp
from vqa_tui.tui.present.notices import Notice
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell_error


class NewsApp(PersonalApp):
    """An app that tells the news of all runs of its workspace."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._notifier = Notifier(self._write_raw)

    def _look_for_news(self) -> None:
        """Look whether there is news, unless the look before is still under way."""
        if not self._at_work("news"):
            self._read_news()

    @work(group="news", exit_on_error=False)
    async def _read_news(self) -> None:
        """Tell a person who looks elsewhere when any run paused, ended, or needs them."""
        settings = self._services.preferences.settings
        try:
            news = self._notifier.news(await self._services.summaries())
        except VqaError:
            return  # the watch tells that the workspace cannot be read
        for notice in news:
            self._notifier.pass_on(notice.words, settings)
        if news and settings.command:
            self._claim_news(news)

    @work(group="claim", exit_on_error=False)
    async def _claim_news(self, news: Sequence[Notice]) -> None:
        """Let a person's command tell what no other app of theirs has told."""
        for notice in news:
            try:
                mine = await self._services.claim_news(notice)
            except VqaError:
                mine = True  # the file cannot be written: told twice is better than not at all
            if mine:
                self._notifier.leave_to_command(notice.words)
        if not self._at_work("command"):
            self._run_command()

    @work(group="command", exit_on_error=False)
    async def _run_command(self) -> None:
        """Run a person's command for each piece of news, for as long as it takes."""
        await self._notifier.run_commands(
            lambda: self._services.preferences.settings.command, partial(tell_error, self)
        )

    def _at_work(self, group: str) -> bool:
        return any(worker.node is self and worker.group == group and not worker.is_finished for worker in self.workers)

    def _write_raw(self, characters: str) -> None:
        if self._driver is not None and not self.is_headless:
            self._driver.write(characters)
