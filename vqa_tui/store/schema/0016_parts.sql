-- Several requests about one picture: a task is one part of what a run asks about an item.

-- Requests for each picture; 0 is one for each of its reference pairs.
ALTER TABLE run ADD COLUMN parts INTEGER NOT NULL DEFAULT 1;

-- SQLite changes no UNIQUE in place, so the table is made anew. Its rows go over in the order of their ids, so that
-- memory does not grow with them; those that refer to it do so by name, and are unchecked meanwhile.
CREATE TABLE task_made_anew (
  id             INTEGER PRIMARY KEY,
  run_id         INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  item_id        INTEGER NOT NULL REFERENCES item(id),
  status         TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'leased', 'done', 'failed', 'skipped')),
  pilot          INTEGER NOT NULL DEFAULT 0 CHECK (pilot IN (0, 1)),
  lease          INTEGER REFERENCES session(id),
  not_before     REAL NOT NULL DEFAULT 0,
  attempts       INTEGER NOT NULL DEFAULT 0,
  attempts_spent INTEGER NOT NULL DEFAULT 0,
  last_kind      TEXT,
  last_problem   TEXT,
  finished_at    REAL,
  -- Attempts up to this number were made before a person last requeued the task.
  requeued_after INTEGER NOT NULL DEFAULT 0,
  -- NULL where nothing failed, and in rows that a version wrote which knew no clusters; those are gathered later.
  cluster_id     INTEGER,
  -- Canonical JSON of what a person changed for this task alone; it holds until the task is done.
  changes        TEXT NOT NULL DEFAULT '{}',
  -- Which of the `parts` requests about the item it is, from 0; how many they are does not change any more.
  part           INTEGER NOT NULL DEFAULT 0,
  parts          INTEGER NOT NULL DEFAULT 1,
  UNIQUE (run_id, item_id, part),
  CHECK (part BETWEEN 0 AND parts - 1),
  CHECK ((status = 'leased') = (lease IS NOT NULL)),
  CHECK ((status IN ('done', 'failed', 'skipped')) = (finished_at IS NOT NULL)),
  CHECK (status <> 'failed' OR last_kind IS NOT NULL)
) STRICT;

INSERT INTO task_made_anew (id, run_id, item_id, status, pilot, lease, not_before, attempts, attempts_spent, last_kind,
  last_problem, finished_at, requeued_after, cluster_id, changes)
SELECT id, run_id, item_id, status, pilot, lease, not_before, attempts, attempts_spent, last_kind,
  last_problem, finished_at, requeued_after, cluster_id, changes FROM task ORDER BY id;
DROP TABLE task;
ALTER TABLE task_made_anew RENAME TO task;

CREATE INDEX task_fresh ON task (run_id, id) WHERE status = 'pending' AND not_before = 0;
CREATE INDEX task_later ON task (run_id, not_before) WHERE status = 'pending' AND not_before > 0;
CREATE INDEX task_pilot ON task (run_id, id) WHERE pilot = 1;
CREATE INDEX task_leased ON task (run_id, lease) WHERE status = 'leased';
CREATE INDEX task_by_status ON task (run_id, status, id);
CREATE INDEX task_failed ON task (run_id, last_kind, id) WHERE status = 'failed';
CREATE INDEX task_by_cluster ON task (cluster_id, id, status) WHERE status = 'failed' AND cluster_id IS NOT NULL;
CREATE INDEX task_ungathered ON task (run_id, id) WHERE status = 'failed' AND cluster_id IS NULL;

CREATE TRIGGER task_inserted AFTER INSERT ON task BEGIN
  INSERT INTO tally VALUES (NEW.run_id, NEW.status, CASE NEW.status WHEN 'failed' THEN NEW.last_kind ELSE '' END, 1)
  ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER task_moved AFTER UPDATE OF status, last_kind ON task
WHEN OLD.status IS NOT NEW.status OR (NEW.status = 'failed' AND OLD.last_kind IS NOT NEW.last_kind) BEGIN
  UPDATE tally SET n = n - 1 WHERE run_id = OLD.run_id AND status = OLD.status
    AND kind = CASE OLD.status WHEN 'failed' THEN OLD.last_kind ELSE '' END;
  INSERT INTO tally VALUES (NEW.run_id, NEW.status, CASE NEW.status WHEN 'failed' THEN NEW.last_kind ELSE '' END, 1)
  ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER task_deleted AFTER DELETE ON task BEGIN
  UPDATE tally SET n = n - 1 WHERE run_id = OLD.run_id AND status = OLD.status
    AND kind = CASE OLD.status WHEN 'failed' THEN OLD.last_kind ELSE '' END;
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
