-- Of a text that still grows: how many pieces of it were told, and the message whose turn writes it.
ALTER TABLE {prefix}events ADD COLUMN delta_seq INTEGER;
ALTER TABLE {prefix}events ADD COLUMN open_in TEXT;

CREATE INDEX {prefix}events_open ON {prefix}events (thread_pk, open_in) WHERE open_in IS NOT NULL;

-- How many more attempts a turn has after its first, and from when on it may be claimed again.
ALTER TABLE {prefix}turns ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE {prefix}turns ADD COLUMN not_before INTEGER;

-- 0, or for a turn that runs beside others its own `seq`.
ALTER TABLE {prefix}turns ADD COLUMN slot INTEGER NOT NULL DEFAULT 0;

DROP INDEX {prefix}turns_running;

CREATE UNIQUE INDEX {prefix}turns_running ON {prefix}turns (thread_pk, slot) WHERE state = 'running';
