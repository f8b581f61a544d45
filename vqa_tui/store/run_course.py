"""How fast a run went over its whole life, in a handful of numbers."""

from vqa_tui.store.db import Database


async def run_course(database: Database, run_id: int, cells: int) -> tuple[float, ...]:
    """Return finished pictures a second in `cells` equal spans of time, from the first metric row to the last.

    A run of fewer seconds has as many spans; one that never worked has none. Time in which no engine was there counts
    as nothing done.
    """
    ends = await database.read_one(
        "SELECT min(at) AS first, max(at) AS last, "
        "(SELECT done + failed FROM metric WHERE run_id = :run ORDER BY at LIMIT 1) AS base "
        "FROM metric WHERE run_id = :run",
        {"run": run_id},
    )
    if ends is None or ends["first"] is None or ends["last"] == ends["first"]:
        return ()
    span = ends["last"] - ends["first"]
    cells = min(cells, span)
    rows = await database.read(
        "SELECT min((at - :first) * :cells / :span, :cells - 1) AS cell, max(done + failed) AS ended FROM metric "
        "WHERE run_id = :run GROUP BY cell ORDER BY cell",
        {"run": run_id, "first": ends["first"], "span": span, "cells": cells},
    )
    rates = [0.0] * cells
    before = ends["base"]
    for row in rows:
        # Pictures that were put back are no longer among those that ended.
        rates[row["cell"]] = max(row["ended"] - before, 0) * cells / span
        before = row["ended"]
    return tuple(rates)
