-- Runs whose tasks are still being stored, piece by piece. None of them is there for anybody before the last piece; the
-- ids from `first_task` on are kept for `tasks` tasks of it, so that two that are made at once do not mix.

CREATE TABLE unfinished_run (
  run_id     INTEGER PRIMARY KEY REFERENCES run(id) ON DELETE CASCADE,
  began_at   REAL NOT NULL,
  first_task INTEGER NOT NULL,
  tasks      INTEGER NOT NULL
) STRICT;

-- Runs that nobody sees: those that were deleted, and those that are not whole yet.
CREATE VIEW hidden_run (id) AS SELECT id FROM deleted_run UNION ALL SELECT run_id FROM unfinished_run;
