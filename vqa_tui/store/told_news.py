"""Who was told by a notification command how a run stands: of several apps that see it, the first one tells."""

from vqa_tui.store.db import Database

_NOW = "SELECT r.id, :who, :standing, coalesce(s.session_id, 0) AS session_id, coalesce(r.resumed_at, 0) AS resumed_at "
_OF_RUN = "FROM run r JOIN run_state s ON s.run_id = r.id WHERE r.id = :run"


async def claim_news(database: Database, run_id: int, standing: str, *, who: str) -> bool:
    """Note that `who` is told that the run stands so; return False where another app has told it, or the run is gone.

    `standing` is a phase of the run, or `lost`.
    """
    async with database.write() as transaction:
        changed = await transaction.execute(
            f"INSERT OR IGNORE INTO told_news {_NOW} {_OF_RUN}", {"run": run_id, "who": who, "standing": standing}
        )
    return changed == 1


async def was_told(database: Database, run_id: int, standing: str, *, who: str) -> bool:
    """Return whether an app has told `who` that the run stands so, as it stands now."""
    found = await database.read(
        "SELECT 1 FROM told_news t JOIN run r ON r.id = t.run_id JOIN run_state s ON s.run_id = r.id "
        "WHERE t.run_id = :run AND t.who = :who AND t.standing = :standing "
        "AND t.session_id = coalesce(s.session_id, 0) AND t.resumed_at = coalesce(r.resumed_at, 0)",
        {"run": run_id, "who": who, "standing": standing},
    )
    return bool(found)
