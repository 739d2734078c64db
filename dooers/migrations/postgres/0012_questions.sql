-- The forms whose answers the running attempt of the turn waits for: a JSON array of [form, user, answer], where the user
-- is null if everyone may answer, and the answer is null or [event, sealed values]. Null if the turn asks nothing.
ALTER TABLE {prefix}turns ADD COLUMN questions TEXT;

-- Also in the order in which leases are renewed. Otherwise the planner may prefer another index for an empty table.
DROP INDEX {prefix}turns_held;
CREATE INDEX {prefix}turns_held ON {prefix}turns (node, thread_pk, seq) WHERE state = 'running';
