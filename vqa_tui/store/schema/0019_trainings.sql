-- Fine-tuning jobs. What they write often (log, metrics, checkpoints) lies in files of their own folder.

-- Written by faces: what a training is, and what a person wants of it.
CREATE TABLE training (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL UNIQUE,
  config     TEXT NOT NULL,
  data       TEXT NOT NULL,
  device     TEXT NOT NULL,
  command    TEXT NOT NULL,
  priority   INTEGER NOT NULL DEFAULT 0,
  rows       INTEGER NOT NULL DEFAULT 0,
  held_out   INTEGER NOT NULL DEFAULT 0,
  wish       TEXT NOT NULL DEFAULT 'run' CHECK (wish IN ('run', 'stop', 'cancel')),
  created_at REAL NOT NULL
) STRICT;

-- Written by the process of the training: what is the case.
CREATE TABLE training_state (
  training_id INTEGER PRIMARY KEY REFERENCES training(id) ON DELETE CASCADE,
  phase       TEXT NOT NULL DEFAULT 'queued' CHECK (phase IN ('queued', 'starting', 'training', 'stopping', 'saving',
                'done', 'stopped', 'cancelled', 'failed')),
  reason      TEXT NOT NULL DEFAULT '',
  pid         INTEGER,
  -- When the process began, in ticks since the machine did: a number used again by another process is told apart.
  process_start INTEGER,
  started_at  REAL,
  ended_at    REAL,
  step        INTEGER NOT NULL DEFAULT 0,
  total_steps INTEGER
) STRICT;
