-- News of runs for which a notification command was run: each person is told once, however many apps they have open. A
-- run must be resumed, or get a new engine, before it can come to rest in the same way again.

CREATE TABLE told_news (
  run_id     INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  who        TEXT NOT NULL,
  standing   TEXT NOT NULL,
  session_id INTEGER NOT NULL,
  resumed_at REAL NOT NULL,
  PRIMARY KEY (run_id, who, standing, session_id, resumed_at)
) STRICT, WITHOUT ROWID;
