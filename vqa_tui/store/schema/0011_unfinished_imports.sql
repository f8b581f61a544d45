-- Imports that were begun and did not reach the end of their source: what they left is not the whole of it.

CREATE TABLE unfinished_import (
  dataset_id INTEGER NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
  source     TEXT NOT NULL,
  began_at   REAL NOT NULL,
  PRIMARY KEY (dataset_id, source)
) STRICT;
