-- The forms whose answers the running attempt of the turn waits for: a JSON array of [form, user, answer], where the user
-- is null if everyone may answer, and the answer is null or [event, sealed values]. Null if the turn asks nothing.
ALTER TABLE {prefix}turns ADD COLUMN questions TEXT;
