-- What it held is in book_alert now. Notifications in the old form are gone with it.
DROP TABLE alert;
DELETE FROM outbox;
