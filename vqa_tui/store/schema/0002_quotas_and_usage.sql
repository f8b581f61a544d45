-- What a request was for, what its tokens were made of and estimated at; the throttle and the line.

ALTER TABLE attempt ADD COLUMN purpose TEXT NOT NULL DEFAULT 'ask';
ALTER TABLE attempt ADD COLUMN cached_input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN image_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN estimated_input_tokens INTEGER NOT NULL DEFAULT 0;
-- What was asked: as the purpose, but of a second request beside a straggler what the first one asked.
ALTER TABLE attempt ADD COLUMN question TEXT NOT NULL DEFAULT 'ask';
-- The estimate's upper bound, before it was scaled; 0 of attempts that are older than the column.
ALTER TABLE attempt ADD COLUMN bound_nano INTEGER NOT NULL DEFAULT 0;

-- What quotas count for a request: the tokens that it was expected to take as long as it has no others, and nothing at
-- all where it never reached the endpoint.
ALTER TABLE attempt ADD COLUMN expected_input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN expected_output_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN never_sent INTEGER NOT NULL DEFAULT 0 CHECK (never_sent IN (0, 1));

-- Tasks that had ended and were put back or skipped since: what they cost is still in the sums.
ALTER TABLE run ADD COLUMN put_back INTEGER NOT NULL DEFAULT 0;

-- Attempts up to this number were made before a person last requeued the task.
ALTER TABLE task ADD COLUMN requeued_after INTEGER NOT NULL DEFAULT 0;

-- Quotas look back a minute or a day, over all runs; the day is counted in the index alone.
CREATE INDEX attempt_by_time ON attempt (started_at, run_id, key_name, kind, never_sent);

-- The four columns of "estimate against billed" count only attempts that have both.
ALTER TABLE attempt_tally ADD COLUMN cached_input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt_tally ADD COLUMN image_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt_tally ADD COLUMN compared_n INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt_tally ADD COLUMN estimated_input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt_tally ADD COLUMN compared_input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt_tally ADD COLUMN compared_output_tokens INTEGER NOT NULL DEFAULT 0;
-- Sum of the squares of costs in micro-dollars: how much pictures differ in cost.
ALTER TABLE attempt_tally ADD COLUMN cost_squares REAL NOT NULL DEFAULT 0;

ALTER TABLE run_state ADD COLUMN throttles TEXT NOT NULL DEFAULT '[]';
-- The cap whose nearness was told last, in nano-dollars.
ALTER TABLE run_state ADD COLUMN budget_told_nano INTEGER;

ALTER TABLE metric ADD COLUMN sent_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE metric ADD COLUMN throttle_slots INTEGER;
ALTER TABLE metric ADD COLUMN throttle_per_s REAL;

DROP TRIGGER attempt_inserted;
CREATE TRIGGER attempt_inserted AFTER INSERT ON attempt BEGIN
  INSERT INTO attempt_tally (run_id, key_name, kind, n, input_tokens, output_tokens, cost_nano, uncertain_nano,
    latency_ms, cached_input_tokens, image_tokens, compared_n, estimated_input_tokens, compared_input_tokens,
    compared_output_tokens, cost_squares)
  VALUES (NEW.run_id, NEW.key_name, NEW.kind, 1, NEW.input_tokens, NEW.output_tokens, NEW.cost_nano,
    NEW.uncertain_nano, coalesce(NEW.latency_ms, 0), NEW.cached_input_tokens, NEW.image_tokens,
    NEW.estimated_input_tokens > 0, NEW.estimated_input_tokens,
    CASE WHEN NEW.estimated_input_tokens > 0 THEN NEW.input_tokens ELSE 0 END,
    CASE WHEN NEW.estimated_input_tokens > 0 THEN NEW.output_tokens ELSE 0 END,
    (NEW.cost_nano / 1e3) * (NEW.cost_nano / 1e3))
  ON CONFLICT DO UPDATE SET n = n + 1, input_tokens = input_tokens + excluded.input_tokens,
    output_tokens = output_tokens + excluded.output_tokens, cost_nano = cost_nano + excluded.cost_nano,
    uncertain_nano = uncertain_nano + excluded.uncertain_nano, latency_ms = latency_ms + excluded.latency_ms,
    cached_input_tokens = cached_input_tokens + excluded.cached_input_tokens,
    image_tokens = image_tokens + excluded.image_tokens, compared_n = compared_n + excluded.compared_n,
    estimated_input_tokens = estimated_input_tokens + excluded.estimated_input_tokens,
    compared_input_tokens = compared_input_tokens + excluded.compared_input_tokens,
    compared_output_tokens = compared_output_tokens + excluded.compared_output_tokens,
    cost_squares = cost_squares + excluded.cost_squares;
END;

UPDATE attempt_tally SET cost_squares = found.squares FROM (
  SELECT run_id, key_name, kind, sum((cost_nano / 1e3) * (cost_nano / 1e3)) AS squares
  FROM attempt GROUP BY run_id, key_name, kind) AS found
WHERE found.run_id = attempt_tally.run_id AND found.key_name = attempt_tally.key_name
  AND found.kind = attempt_tally.kind;
