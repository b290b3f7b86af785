-- Kept searches over a fixed time; `last` is empty for these.
ALTER TABLE search ADD COLUMN since INTEGER;
ALTER TABLE search ADD COLUMN until INTEGER;
