-- Runs whose pictures were drawn by chance.

-- The seed that drew them; NULL where they are all of the dataset, or spread evenly over it.
ALTER TABLE run ADD COLUMN seed INTEGER;
