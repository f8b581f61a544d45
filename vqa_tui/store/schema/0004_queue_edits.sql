-- Edits of the queue by people, so that they can be taken back; and what lists of items are filtered and sorted by.

CREATE TABLE edit (
  id        INTEGER PRIMARY KEY,
  run_id    INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  at        REAL NOT NULL,
  who       TEXT NOT NULL,
  verb      TEXT NOT NULL CHECK (verb IN ('retry', 'skip', 'requeue')),
  tasks     INTEGER NOT NULL DEFAULT 0,
  undone_at REAL,
  restored  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX edit_by_run ON edit (run_id, id);

-- How each task stood before; `attempts_after` and `finished_after` tell whether it was touched since.
CREATE TABLE edit_task (
  edit_id        INTEGER NOT NULL REFERENCES edit(id) ON DELETE CASCADE,
  task_id        INTEGER NOT NULL,
  status         TEXT NOT NULL,
  not_before     REAL NOT NULL,
  attempts_spent INTEGER NOT NULL,
  requeued_after INTEGER NOT NULL,
  finished_at    REAL,
  attempts_after INTEGER NOT NULL,
  finished_after REAL,
  changes        TEXT NOT NULL,
  PRIMARY KEY (edit_id, task_id)
) STRICT, WITHOUT ROWID;

-- Rows of attempts hold whole replies: sums over a million of them are read from an index.
CREATE INDEX attempt_of_task ON attempt (task_id, key_name, cost_nano, latency_ms);
CREATE INDEX sample_with_flags ON sample (run_id, task_id) WHERE flags <> '[]';
CREATE INDEX sample_with_verdict ON sample (run_id, verdict, task_id) WHERE verdict IS NOT NULL;
