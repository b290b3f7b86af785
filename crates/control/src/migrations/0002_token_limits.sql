-- What a token's bearer may send at most; NULL where only the hub's own limits hold.
ALTER TABLE token ADD COLUMN events_per_second INTEGER;
ALTER TABLE token ADD COLUMN bytes_per_second  INTEGER;
ALTER TABLE token ADD COLUMN largest_body      INTEGER;
