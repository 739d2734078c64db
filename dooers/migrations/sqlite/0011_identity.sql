-- The identity that the authenticator returned for the sender of the message: a JSON object for the handler alone. It is
-- deleted with the turn's row. Null if the server believes its clients, because the event then has everything.
ALTER TABLE {prefix}turns ADD COLUMN identity TEXT;
