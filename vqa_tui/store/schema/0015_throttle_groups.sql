-- Slots that the throttle of each quota group allowed, as a JSON object by group; NULL where one group is all there is,
-- whose slots stand in `throttle_slots`.

ALTER TABLE metric ADD COLUMN throttle_groups TEXT;
