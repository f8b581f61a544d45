-- Runs that were put out of sight, and what stays of runs that were deleted.

ALTER TABLE run ADD COLUMN archived_at REAL;

-- Money that was spent stays known. The id is that of the run, which no later run gets again; `finished_at` is NULL as
-- long as rows of the run are left. Such a run is gone for everybody but whoever finishes its deletion.
CREATE TABLE deleted_run (
  id             INTEGER PRIMARY KEY,
  name           TEXT NOT NULL,
  dataset        TEXT NOT NULL,
  recipe_name    TEXT NOT NULL,
  endpoint_name  TEXT NOT NULL,
  model          TEXT NOT NULL,
  created_at     REAL NOT NULL,
  deleted_at     REAL NOT NULL,
  finished_at    REAL,
  who            TEXT NOT NULL,
  pictures       INTEGER NOT NULL,
  attempts       INTEGER NOT NULL,
  pairs          INTEGER NOT NULL,
  spent_nano     INTEGER NOT NULL,
  uncertain_nano INTEGER NOT NULL
) STRICT;

-- Requests of deleted runs that a quota still counts: a day at most.
CREATE TABLE kept_request (
  run_id        INTEGER NOT NULL,
  endpoint_name TEXT NOT NULL,
  key_name      TEXT NOT NULL,
  started_at    REAL NOT NULL,
  kind          TEXT NOT NULL,
  input_tokens  INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL
) STRICT;

CREATE INDEX kept_request_by_time ON kept_request (endpoint_name, started_at);

-- Engines that share a quota read each other's attempts by rising id: the id of a deleted one is never given again.
CREATE TABLE attempt_floor (id INTEGER NOT NULL) STRICT;
INSERT INTO attempt_floor VALUES (0);
