"""What a run was made of, so that another can be made like it."""

from dataclasses import dataclass

from vqa_tui.domain.run import Limits
from vqa_tui.store.db import Database
from vqa_tui.store.parts import asked_of


@dataclass(frozen=True, slots=True)
class MadeOf:
    """The parts of one run as they were frozen, and its limits as they stand now."""

    run_name: str
    dataset: str
    recipe: str
    """Canonical JSON, as is `endpoint`."""
    endpoint: str
    pilot_size: int
    limit: int | None
    """How many pictures it took; None when it took all that its dataset had then (by pairs: all that have one)."""
    seed: int | None
    """By which they were drawn; None where they are spread evenly."""
    limits: Limits
    of_chosen: bool = False
    """Whether it asks pictures that a person chose of another run; `limit` and `pilot_size` say nothing then."""
    follows: str | None = None
    """Name of that other run; None where it is gone."""


async def made_of(database: Database, run_id: int) -> MadeOf | None:
    """Return what a run was made of; None when there is no such run. Reads the keys of its dataset once."""
    row = await database.read_one(
        """
        SELECT run.name, dataset.name AS dataset, dataset.id AS dataset_id, run.recipe, run.endpoint, run.pilot_size,
          run.limits, run.of_chosen, run.parts, run.seed, (SELECT name FROM run f
            WHERE f.id = run.follows AND f.id NOT IN (SELECT id FROM hidden_run)) AS follows,
          (SELECT count(*) FROM task WHERE run_id = run.id AND part = 0) AS pictures,
          (SELECT max(item_id) FROM task WHERE run_id = run.id) AS last_item
        FROM run JOIN dataset ON dataset.id = run.dataset_id WHERE run.id = ?
        """,
        (run_id,),
    )
    if row is None:
        return None
    # A choice that is spread over a dataset always takes its last picture, so this is how many there were then. Where
    # pictures were drawn nobody knows, and the number stays a limit.
    then = await database.read_one(
        f"SELECT count(*) AS n FROM item WHERE dataset_id = ? AND id <= ? {asked_of(row['parts']).only}",
        (row["dataset_id"], row["last_item"] or 0),
    )
    pictures = row["pictures"]
    took_all = row["seed"] is None and (then is None or pictures >= then["n"])
    return MadeOf(
        run_name=row["name"],
        dataset=row["dataset"],
        recipe=row["recipe"],
        endpoint=row["endpoint"],
        pilot_size=row["pilot_size"],
        limit=None if took_all else pictures,
        seed=row["seed"],
        limits=Limits.model_validate_json(row["limits"]),
        of_chosen=bool(row["of_chosen"]),
        follows=row["follows"],
    )
