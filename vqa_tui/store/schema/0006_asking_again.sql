-- Pictures that are asked again with something changed, and runs that ask another endpoint about those of a run.

-- Canonical JSON of what a person changed for this task alone; it holds until the task is done.
ALTER TABLE task ADD COLUMN changes TEXT NOT NULL DEFAULT '{}';

-- What the request was asked with where that was changed for its task; a side of 0 is the original size.
ALTER TABLE attempt ADD COLUMN max_tokens INTEGER;
ALTER TABLE attempt ADD COLUMN max_side INTEGER;

-- The run whose pictures this one asks elsewhere.
ALTER TABLE run ADD COLUMN follows INTEGER REFERENCES run(id) ON DELETE SET NULL;
CREATE INDEX run_follows ON run (follows) WHERE follows IS NOT NULL;
