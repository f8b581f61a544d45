-- The size of a dataset is that of all its files, those of the further pictures of its items among them.

ALTER TABLE item ADD COLUMN further_bytes INTEGER NOT NULL DEFAULT 0 CHECK (further_bytes >= 0);

DROP TRIGGER item_inserted;
DROP TRIGGER item_changed;
DROP TRIGGER item_deleted;

CREATE TRIGGER item_inserted AFTER INSERT ON item BEGIN
  INSERT INTO item_tally VALUES (NEW.dataset_id, 1, NEW.size_bytes + NEW.further_bytes)
  ON CONFLICT DO UPDATE SET n = n + 1, size_bytes = size_bytes + excluded.size_bytes;
END;

CREATE TRIGGER item_changed AFTER UPDATE OF size_bytes, further_bytes ON item BEGIN
  UPDATE item_tally SET size_bytes = size_bytes - OLD.size_bytes - OLD.further_bytes
    + NEW.size_bytes + NEW.further_bytes WHERE dataset_id = NEW.dataset_id;
END;

CREATE TRIGGER item_deleted AFTER DELETE ON item BEGIN
  UPDATE item_tally SET n = n - 1, size_bytes = size_bytes - OLD.size_bytes - OLD.further_bytes
    WHERE dataset_id = OLD.dataset_id;
END;

UPDATE item SET further_bytes = (
  SELECT coalesce(sum(json_extract(shown.value, '$.facts.size_bytes')), 0)
  FROM json_each(item.truth, '$.further') AS shown
) WHERE pictures > 1;
