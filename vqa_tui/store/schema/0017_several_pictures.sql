-- Items of several pictures, which are asked about together: their own picture and those in `further` of their truth.

-- How many they are, so that nothing has to look into the truth of an item of one picture.
ALTER TABLE item ADD COLUMN pictures INTEGER NOT NULL DEFAULT 1 CHECK (pictures >= 1);

CREATE INDEX item_of_several ON item (dataset_id, id) WHERE pictures > 1;
