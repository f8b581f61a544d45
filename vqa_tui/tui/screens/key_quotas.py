"""The dialog of one key: all there is to say about it, and its quotas, which may be changed in place."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import ClassVar

from textual.content import Content

from vqa_tui.domain.run import KeyView
from vqa_tui.operations.limits import LimitInForce
from vqa_tui.tui.present.key_quotas import QUOTA_COLUMNS, of_key, quota_about, quota_row
from vqa_tui.tui.present.rows import Row
from vqa_tui.tui.screens.limits import Change, LimitsDialog, Read


class KeyQuotasDialog(LimitsDialog):
    """The limits of one key and of its group; Enter edits, Enter again sets."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "limits.tcss", "key_quotas.tcss"]

    def __init__(self, key: KeyView, words: str, *, read: Read, change: Change) -> None:
        """`words` is what there is to say about the key."""

        async def read_of_key() -> Sequence[LimitInForce]:
            return of_key(await read(), key)

        super().__init__(f"Key {key.name}", read=read_of_key, change=change, columns=QUOTA_COLUMNS, head=words)
        self._key = key

    def row(self, limit: LimitInForce) -> Row:
        return quota_row(limit, self._key)

    def about(self, limit: LimitInForce, *, editing: bool = False) -> Content:
        return quota_about(limit, self._key, editing=editing)
