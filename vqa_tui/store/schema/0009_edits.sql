-- Asking again is an edit that can be taken back, and datasets are deleted piece by piece.

-- SQLite changes no CHECK in place, so the table is made anew. `edit_task` refers to it by name and keeps its rows:
-- migrations run with references unchecked.
CREATE TABLE edit_made_anew (
  id        INTEGER PRIMARY KEY,
  run_id    INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  at        REAL NOT NULL,
  who       TEXT NOT NULL,
  verb      TEXT NOT NULL CHECK (verb IN ('retry', 'skip', 'requeue', 'ask again')),
  tasks     INTEGER NOT NULL DEFAULT 0,
  undone_at REAL,
  restored  INTEGER NOT NULL DEFAULT 0
) STRICT;

INSERT INTO edit_made_anew SELECT id, run_id, at, who, verb, tasks, undone_at, restored FROM edit;
DROP TABLE edit;
ALTER TABLE edit_made_anew RENAME TO edit;
CREATE INDEX edit_by_run ON edit (run_id, id);

-- A dataset that is being deleted: gone for everybody but whoever finishes that.
ALTER TABLE dataset ADD COLUMN deleted_at REAL;
