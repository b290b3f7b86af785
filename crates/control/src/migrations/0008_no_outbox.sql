-- What waits stands in letter now.
DROP TABLE outbox;
