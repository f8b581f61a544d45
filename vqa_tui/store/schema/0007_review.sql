-- Review: verdicts with their history, edited text beside the original, and the strata that pairs are drawn from.

-- What a person made of a pair; `question` and `answer` stay as the model wrote them. NULL: as it was written.
ALTER TABLE sample ADD COLUMN edited_question TEXT;
ALTER TABLE sample ADD COLUMN edited_answer TEXT;
ALTER TABLE sample ADD COLUMN review_note TEXT NOT NULL DEFAULT '';
ALTER TABLE sample ADD COLUMN reviewer TEXT;
ALTER TABLE sample ADD COLUMN reviewed_at REAL;
-- The order by which the pair came to its first verdict; only drawn ones say something about the others.
ALTER TABLE sample ADD COLUMN picked TEXT;
-- Where the pair stands in the drawn order: its stratum, and a number that its id alone decides. Set by faces when
-- somebody reviews, so that storing a pair costs the engine nothing more; the indexes leave out what has no place yet.
ALTER TABLE sample ADD COLUMN stratum_id INTEGER;
ALTER TABLE sample ADD COLUMN draw INTEGER;

CREATE INDEX sample_to_draw ON sample (stratum_id, draw) WHERE verdict IS NULL AND stratum_id IS NOT NULL;
CREATE INDEX sample_to_review ON sample (run_id, id) WHERE verdict IS NULL AND stratum_id IS NOT NULL;
CREATE INDEX sample_reviewed ON sample (run_id, verdict, id) WHERE verdict IS NOT NULL;

CREATE TABLE review_stratum (
  id            INTEGER PRIMARY KEY,
  run_id        INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  question_type TEXT NOT NULL,
  category      TEXT NOT NULL,
  flagged       INTEGER NOT NULL CHECK (flagged IN (0, 1)),
  n             INTEGER NOT NULL,
  UNIQUE (run_id, question_type, category, flagged)
) STRICT;

-- Pairs with an id up to `placed_to` have their place.
CREATE TABLE review_progress (
  run_id    INTEGER PRIMARY KEY REFERENCES run(id) ON DELETE CASCADE,
  placed_to INTEGER NOT NULL
) STRICT;

-- Verdicts by stratum, kept by triggers.
CREATE TABLE review_tally (
  stratum_id INTEGER NOT NULL REFERENCES review_stratum(id) ON DELETE CASCADE,
  verdict    TEXT NOT NULL,
  drawn      INTEGER NOT NULL CHECK (drawn IN (0, 1)),
  edited     INTEGER NOT NULL CHECK (edited IN (0, 1)),
  n          INTEGER NOT NULL,
  PRIMARY KEY (stratum_id, verdict, drawn, edited)
) STRICT, WITHOUT ROWID;

-- Every verdict, edit and note: who, when, old and new state (JSON). It outlives the pair, which is replaced when its
-- picture is asked again: hence the text that was judged, and no reference.
CREATE TABLE review_log (
  id        INTEGER PRIMARY KEY,
  run_id    INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  sample_id INTEGER NOT NULL,
  item_key  TEXT NOT NULL,
  ordinal   INTEGER NOT NULL,
  question  TEXT NOT NULL,
  answer    TEXT NOT NULL,
  at        REAL NOT NULL,
  who       TEXT NOT NULL,
  old_state TEXT NOT NULL,
  new_state TEXT NOT NULL,
  undone_at REAL
) STRICT;

CREATE INDEX review_log_to_undo ON review_log (run_id, who, id) WHERE undone_at IS NULL;

CREATE TRIGGER sample_judged AFTER UPDATE OF verdict, picked, edited_question, edited_answer, stratum_id ON sample
WHEN OLD.verdict IS NOT NULL OR NEW.verdict IS NOT NULL BEGIN
  UPDATE review_tally SET n = n - 1 WHERE stratum_id = OLD.stratum_id AND verdict = OLD.verdict
    AND drawn = (coalesce(OLD.picked, '') IN ('stratified', 'random', 'flagged-first'))
    AND edited = (OLD.edited_question IS NOT NULL OR OLD.edited_answer IS NOT NULL);
  INSERT INTO review_tally
  SELECT NEW.stratum_id, NEW.verdict, coalesce(NEW.picked, '') IN ('stratified', 'random', 'flagged-first'),
    NEW.edited_question IS NOT NULL OR NEW.edited_answer IS NOT NULL, 1
  WHERE NEW.stratum_id IS NOT NULL AND NEW.verdict IS NOT NULL
  ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER sample_of_stratum_deleted AFTER DELETE ON sample WHEN OLD.stratum_id IS NOT NULL BEGIN
  UPDATE review_stratum SET n = n - 1 WHERE id = OLD.stratum_id;
  UPDATE review_tally SET n = n - 1 WHERE stratum_id = OLD.stratum_id AND verdict = OLD.verdict
    AND drawn = (coalesce(OLD.picked, '') IN ('stratified', 'random', 'flagged-first'))
    AND edited = (OLD.edited_question IS NOT NULL OR OLD.edited_answer IS NOT NULL);
END;
