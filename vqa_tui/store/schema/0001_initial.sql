-- The first schema. Times are Unix seconds (REAL); money is whole nano-dollars (INTEGER, 1e-9 dollar).

CREATE TABLE dataset (
  id          INTEGER PRIMARY KEY,
  name        TEXT NOT NULL UNIQUE,
  kind        TEXT NOT NULL,
  root        TEXT NOT NULL,
  source      TEXT NOT NULL,
  created_at  REAL NOT NULL,
  imported_at REAL NOT NULL
) STRICT;

CREATE TABLE item (
  id          INTEGER PRIMARY KEY,
  dataset_id  INTEGER NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
  key         TEXT NOT NULL,
  path        TEXT NOT NULL,
  format      TEXT NOT NULL,
  width       INTEGER NOT NULL,
  height      INTEGER NOT NULL,
  size_bytes  INTEGER NOT NULL,
  sha256      TEXT NOT NULL,
  orientation INTEGER NOT NULL,
  modified_ns INTEGER NOT NULL,
  split       TEXT,
  truth       TEXT NOT NULL,
  UNIQUE (dataset_id, key)
) STRICT;

CREATE TABLE import_problem (
  dataset_id INTEGER NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
  key        TEXT NOT NULL,
  place      TEXT NOT NULL,
  reason     TEXT NOT NULL,
  seen_at    REAL NOT NULL,
  PRIMARY KEY (dataset_id, key)
) STRICT;

-- Written by faces: what a run is, and what a person wants of it.
CREATE TABLE run (
  id            INTEGER PRIMARY KEY,
  name          TEXT NOT NULL UNIQUE,
  dataset_id    INTEGER NOT NULL REFERENCES dataset(id),
  recipe_name   TEXT NOT NULL,
  endpoint_name TEXT NOT NULL,
  model         TEXT NOT NULL,
  recipe        TEXT NOT NULL,
  endpoint      TEXT NOT NULL,
  config_sha256 TEXT NOT NULL,
  pilot_size    INTEGER NOT NULL,
  created_at    REAL NOT NULL,
  intent        TEXT NOT NULL DEFAULT 'run' CHECK (intent IN ('run', 'pause', 'stop')),
  cancel_in_flight INTEGER NOT NULL DEFAULT 0 CHECK (cancel_in_flight IN (0, 1)),
  approved_at   REAL,
  resumed_at    REAL,
  limits        TEXT NOT NULL
) STRICT;

-- Written by the engine: what is the case.
CREATE TABLE run_state (
  run_id        INTEGER PRIMARY KEY REFERENCES run(id) ON DELETE CASCADE,
  phase         TEXT NOT NULL DEFAULT 'created' CHECK (phase IN ('created', 'preflight', 'pilot', 'awaiting_approval',
                  'running', 'pausing', 'paused', 'stopping', 'stopped', 'done', 'failed')),
  phase_reason  TEXT NOT NULL DEFAULT '',
  started_at    REAL,
  ended_at      REAL,
  heartbeat_at  REAL,
  session_id    INTEGER REFERENCES session(id),
  reserved_nano INTEGER NOT NULL DEFAULT 0,
  why_idle      TEXT NOT NULL DEFAULT '',
  keys          TEXT NOT NULL DEFAULT '[]'
) STRICT;

CREATE TABLE session (
  id         INTEGER PRIMARY KEY,
  run_id     INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  pid        INTEGER NOT NULL,
  started_at REAL NOT NULL,
  ended_at   REAL,
  end_reason TEXT
) STRICT;

CREATE TABLE task (
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
  UNIQUE (run_id, item_id),
  CHECK ((status = 'leased') = (lease IS NOT NULL)),
  CHECK ((status IN ('done', 'failed', 'skipped')) = (finished_at IS NOT NULL)),
  CHECK (status <> 'failed' OR last_kind IS NOT NULL)
) STRICT;

CREATE INDEX task_fresh ON task (run_id, id) WHERE status = 'pending' AND not_before = 0;
CREATE INDEX task_later ON task (run_id, not_before) WHERE status = 'pending' AND not_before > 0;
CREATE INDEX task_pilot ON task (run_id, id) WHERE pilot = 1;
CREATE INDEX task_leased ON task (run_id, lease) WHERE status = 'leased';
CREATE INDEX task_by_status ON task (run_id, status, id);
CREATE INDEX task_failed ON task (run_id, last_kind, id) WHERE status = 'failed';

CREATE TABLE attempt (
  id             INTEGER PRIMARY KEY,
  run_id         INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  task_id        INTEGER NOT NULL REFERENCES task(id) ON DELETE CASCADE,
  number         INTEGER NOT NULL,
  session_id     INTEGER NOT NULL REFERENCES session(id),
  key_name       TEXT NOT NULL,
  started_at     REAL NOT NULL,
  latency_ms     REAL,
  http_status    INTEGER,
  kind           TEXT NOT NULL,
  message        TEXT NOT NULL DEFAULT '',
  input_tokens   INTEGER NOT NULL DEFAULT 0,
  output_tokens  INTEGER NOT NULL DEFAULT 0,
  cost_nano      INTEGER NOT NULL DEFAULT 0,
  uncertain_nano INTEGER NOT NULL DEFAULT 0,
  reserved_nano  INTEGER NOT NULL DEFAULT 0,
  finish_reason  TEXT NOT NULL DEFAULT '',
  model          TEXT NOT NULL DEFAULT '',
  request_id     TEXT NOT NULL DEFAULT '',
  raw_reply      TEXT,
  UNIQUE (task_id, number)
) STRICT;

CREATE TABLE sample (
  id            INTEGER PRIMARY KEY,
  run_id        INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  task_id       INTEGER NOT NULL REFERENCES task(id) ON DELETE CASCADE,
  ordinal       INTEGER NOT NULL,
  question      TEXT NOT NULL,
  answer        TEXT NOT NULL,
  question_type TEXT NOT NULL DEFAULT '',
  flags         TEXT NOT NULL DEFAULT '[]',
  verdict       TEXT CHECK (verdict IN ('accepted', 'rejected', 'unsure')),
  UNIQUE (task_id, ordinal)
) STRICT;

CREATE INDEX sample_by_run ON sample (run_id, id);

CREATE TABLE metric (
  run_id        INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  at            INTEGER NOT NULL,
  session_id    INTEGER NOT NULL REFERENCES session(id),
  done          INTEGER NOT NULL,
  failed        INTEGER NOT NULL,
  in_flight     INTEGER NOT NULL,
  slots         INTEGER NOT NULL,
  rate_limited  INTEGER NOT NULL,
  input_tokens  INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  spent_nano    INTEGER NOT NULL,
  p50_ms        REAL,
  p95_ms        REAL,
  PRIMARY KEY (run_id, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
  id      INTEGER PRIMARY KEY,
  run_id  INTEGER REFERENCES run(id) ON DELETE CASCADE,
  at      REAL NOT NULL,
  level   TEXT NOT NULL CHECK (level IN ('info', 'warning', 'error')),
  message TEXT NOT NULL
) STRICT;

CREATE INDEX event_by_run ON event (run_id, id);

CREATE TABLE action (
  id        INTEGER PRIMARY KEY,
  run_id    INTEGER REFERENCES run(id) ON DELETE CASCADE,
  at        REAL NOT NULL,
  who       TEXT NOT NULL,
  verb      TEXT NOT NULL,
  old_value TEXT NOT NULL DEFAULT '',
  new_value TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX action_by_run ON action (run_id, id);

-- Counts, kept by triggers so that reading them costs microseconds at any size.
CREATE TABLE tally (
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  status TEXT NOT NULL,
  kind   TEXT NOT NULL DEFAULT '',
  n      INTEGER NOT NULL,
  PRIMARY KEY (run_id, status, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt_tally (
  run_id         INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  key_name       TEXT NOT NULL,
  kind           TEXT NOT NULL,
  n              INTEGER NOT NULL,
  input_tokens   INTEGER NOT NULL,
  output_tokens  INTEGER NOT NULL,
  cost_nano      INTEGER NOT NULL,
  uncertain_nano INTEGER NOT NULL,
  latency_ms     REAL NOT NULL,
  PRIMARY KEY (run_id, key_name, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE sample_tally (
  run_id INTEGER PRIMARY KEY REFERENCES run(id) ON DELETE CASCADE,
  n      INTEGER NOT NULL
) STRICT;

CREATE TABLE item_tally (
  dataset_id INTEGER PRIMARY KEY REFERENCES dataset(id) ON DELETE CASCADE,
  n          INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL
) STRICT;

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

CREATE TRIGGER attempt_inserted AFTER INSERT ON attempt BEGIN
  INSERT INTO attempt_tally VALUES (NEW.run_id, NEW.key_name, NEW.kind, 1, NEW.input_tokens, NEW.output_tokens,
    NEW.cost_nano, NEW.uncertain_nano, coalesce(NEW.latency_ms, 0))
  ON CONFLICT DO UPDATE SET n = n + 1, input_tokens = input_tokens + excluded.input_tokens,
    output_tokens = output_tokens + excluded.output_tokens, cost_nano = cost_nano + excluded.cost_nano,
    uncertain_nano = uncertain_nano + excluded.uncertain_nano, latency_ms = latency_ms + excluded.latency_ms;
END;

CREATE TRIGGER sample_inserted AFTER INSERT ON sample BEGIN
  INSERT INTO sample_tally VALUES (NEW.run_id, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER sample_deleted AFTER DELETE ON sample BEGIN
  UPDATE sample_tally SET n = n - 1 WHERE run_id = OLD.run_id;
END;

CREATE TRIGGER item_inserted AFTER INSERT ON item BEGIN
  INSERT INTO item_tally VALUES (NEW.dataset_id, 1, NEW.size_bytes)
  ON CONFLICT DO UPDATE SET n = n + 1, size_bytes = size_bytes + excluded.size_bytes;
END;

CREATE TRIGGER item_changed AFTER UPDATE OF size_bytes ON item BEGIN
  UPDATE item_tally SET size_bytes = size_bytes - OLD.size_bytes + NEW.size_bytes WHERE dataset_id = NEW.dataset_id;
END;

CREATE TRIGGER item_deleted AFTER DELETE ON item BEGIN
  UPDATE item_tally SET n = n - 1, size_bytes = size_bytes - OLD.size_bytes WHERE dataset_id = OLD.dataset_id;
END;
