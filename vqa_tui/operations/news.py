"""News of runs: which of the apps that a person has open runs their notification command."""

import asyncio

from vqa_tui.operations.workspace import Workspace, operator
from vqa_tui.store import told_news

OTHERS_FIRST_S = 5.0
"""How long an app that may only look waits for one that can note what it tells: they look every two seconds."""


async def claim_news(workspace: Workspace, run_id: int, standing: str, *, read_only: bool) -> bool:
    """Return whether this app is the one that tells its user that a run stands so; `standing` as in `told_news`.

    With `read_only` nothing can be noted, so it is only where no other app has told it after OTHERS_FIRST_S.
    """
    if not read_only:
        return await told_news.claim_news(workspace.db, run_id, standing, who=operator())
    await asyncio.sleep(OTHERS_FIRST_S)
    return not await told_news.was_told(workspace.db, run_id, standing, who=operator())
