-- Whether the endpoint of a deleted run had prices: without them nobody knows what it had cost, and 0 does not say.

ALTER TABLE deleted_run ADD COLUMN price_known INTEGER NOT NULL DEFAULT 1 CHECK (price_known IN (0, 1));

-- Of runs deleted until now nobody wrote it down; requests that had cost nothing are most often such.
UPDATE deleted_run SET price_known = 0 WHERE attempts > 0 AND spent_nano = 0 AND uncertain_nano = 0;
