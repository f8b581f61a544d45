-- Whether a run was made for pictures that a person chose of another one. `follows` does not say it for good: it is
-- emptied when the followed run is deleted.

ALTER TABLE run ADD COLUMN of_chosen INTEGER NOT NULL DEFAULT 0 CHECK (of_chosen IN (0, 1));

UPDATE run SET of_chosen = 1 WHERE follows IS NOT NULL
  OR EXISTS (SELECT 1 FROM action WHERE action.run_id = run.id AND action.verb = 'follow');
