-- The answers to a form with password fields, sealed for the handler alone. They go with the turn's row. A JSON array of the
-- id of the key, of a keyed hash, by which the same answer is known when it is sent again, and of the sealed values.
-- One column for all three: while PostgreSQL knows nothing of a table, it guesses by the width of its rows how many there
-- are, and with wider rows it would take the wrong indices for leases.
ALTER TABLE {prefix}turns ADD COLUMN sealed TEXT;

-- For a process that starts, which must have the keys.
CREATE INDEX {prefix}turns_sealed ON {prefix}turns (thread_pk) WHERE sealed IS NOT NULL;
