-- Failures by what went wrong: the normal form of their message, counted as they are committed.

CREATE TABLE failure_cluster (
  id       INTEGER PRIMARY KEY,
  run_id   INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  kind     TEXT NOT NULL,
  form     TEXT NOT NULL,
  -- Attempts that ended so, and tasks that have failed for good by it and were not put back since.
  attempts INTEGER NOT NULL DEFAULT 0,
  tasks    INTEGER NOT NULL DEFAULT 0,
  first_at REAL,
  last_at  REAL,
  UNIQUE (run_id, kind, form)
) STRICT;

-- The last minutes of each cluster, as a ring: `slot` is the minute modulo 16, so that it never grows.
CREATE TABLE failure_minute (
  cluster_id INTEGER NOT NULL REFERENCES failure_cluster(id) ON DELETE CASCADE,
  slot       INTEGER NOT NULL,
  minute     INTEGER NOT NULL,
  attempts   INTEGER NOT NULL,
  tasks      INTEGER NOT NULL,
  PRIMARY KEY (cluster_id, slot)
) STRICT, WITHOUT ROWID;

-- NULL where nothing failed, and in rows that a version wrote which knew no clusters; those are gathered later. No
-- foreign keys: they would make SQLite look through all tasks and attempts when a run is deleted.
ALTER TABLE task ADD COLUMN cluster_id INTEGER;
ALTER TABLE attempt ADD COLUMN cluster_id INTEGER;

-- With the status at its end it answers by itself which tasks are meant.
CREATE INDEX task_by_cluster ON task (cluster_id, id, status) WHERE status = 'failed' AND cluster_id IS NOT NULL;
CREATE INDEX attempt_by_cluster ON attempt (cluster_id, id, task_id) WHERE cluster_id IS NOT NULL;
CREATE INDEX task_ungathered ON task (run_id, id) WHERE status = 'failed' AND cluster_id IS NULL;
CREATE INDEX attempt_ungathered ON attempt (run_id, id) WHERE kind <> 'ok' AND cluster_id IS NULL;

CREATE TRIGGER attempt_clustered AFTER INSERT ON attempt WHEN NEW.cluster_id IS NOT NULL BEGIN
  UPDATE failure_cluster SET attempts = attempts + 1, first_at = min(coalesce(first_at, NEW.started_at), NEW.started_at),
    last_at = max(coalesce(last_at, NEW.started_at), NEW.started_at) WHERE id = NEW.cluster_id;
  INSERT INTO failure_minute VALUES (NEW.cluster_id, CAST(NEW.started_at / 60 AS INTEGER) % 16,
    CAST(NEW.started_at / 60 AS INTEGER), 1, 0)
  ON CONFLICT DO UPDATE SET
    attempts = CASE WHEN excluded.minute > minute THEN 1 ELSE attempts + (excluded.minute = minute) END,
    tasks = CASE WHEN excluded.minute > minute THEN 0 ELSE tasks END,
    minute = max(minute, excluded.minute);
END;

CREATE TRIGGER attempt_gathered AFTER UPDATE OF cluster_id ON attempt
WHEN OLD.cluster_id IS NULL AND NEW.cluster_id IS NOT NULL BEGIN
  UPDATE failure_cluster SET attempts = attempts + 1, first_at = min(coalesce(first_at, NEW.started_at), NEW.started_at),
    last_at = max(coalesce(last_at, NEW.started_at), NEW.started_at) WHERE id = NEW.cluster_id;
END;

CREATE TRIGGER task_left_cluster AFTER UPDATE OF status, cluster_id ON task
WHEN OLD.status = 'failed' AND OLD.cluster_id IS NOT NULL
  AND (NEW.status <> 'failed' OR NEW.cluster_id IS NOT OLD.cluster_id) BEGIN
  UPDATE failure_cluster SET tasks = tasks - 1 WHERE id = OLD.cluster_id;
END;

CREATE TRIGGER task_joined_cluster AFTER UPDATE OF status, cluster_id ON task
WHEN NEW.status = 'failed' AND NEW.cluster_id IS NOT NULL
  AND (OLD.status <> 'failed' OR NEW.cluster_id IS NOT OLD.cluster_id) BEGIN
  UPDATE failure_cluster SET tasks = tasks + 1,
    first_at = min(coalesce(first_at, NEW.finished_at), NEW.finished_at),
    last_at = max(coalesce(last_at, NEW.finished_at), NEW.finished_at) WHERE id = NEW.cluster_id;
  INSERT INTO failure_minute VALUES (NEW.cluster_id, CAST(NEW.finished_at / 60 AS INTEGER) % 16,
    CAST(NEW.finished_at / 60 AS INTEGER), 0, 1)
  ON CONFLICT DO UPDATE SET
    tasks = CASE WHEN excluded.minute > minute THEN 1 ELSE tasks + (excluded.minute = minute) END,
    attempts = CASE WHEN excluded.minute > minute THEN 0 ELSE attempts END,
    minute = max(minute, excluded.minute);
END;

CREATE TRIGGER task_deleted_from_cluster AFTER DELETE ON task WHEN OLD.status = 'failed' AND OLD.cluster_id IS NOT NULL BEGIN
  UPDATE failure_cluster SET tasks = tasks - 1 WHERE id = OLD.cluster_id;
END;
