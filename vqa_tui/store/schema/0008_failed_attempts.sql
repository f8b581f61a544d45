-- Failures over time: few attempts fail, so this index is small and an attempt that is answered costs nothing.

CREATE INDEX attempt_failed ON attempt (run_id, started_at, kind) WHERE kind <> 'ok';
