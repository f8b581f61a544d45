-- How pairs stood when `review next` showed them to somebody, by which a later command knows what was judged. The ids of
-- pairs may be given again when pictures are asked again, so the text is kept too.

CREATE TABLE review_shown (
  run_id    INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  who       TEXT NOT NULL,
  sample_id INTEGER NOT NULL,
  seen      TEXT NOT NULL,
  PRIMARY KEY (run_id, who, sample_id)
) STRICT, WITHOUT ROWID;
