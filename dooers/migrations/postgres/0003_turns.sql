-- Of a text that still grows: how many pieces of it were told, and the message whose turn writes it.
ALTER TABLE {prefix}events ADD COLUMN delta_seq BIGINT;
ALTER TABLE {prefix}events ADD COLUMN open_in TEXT COLLATE "C";

CREATE INDEX {prefix}events_open ON {prefix}events (thread_pk, open_in) WHERE open_in IS NOT NULL;

-- How many more attempts a turn has after its first, and from when on it may be claimed again.
ALTER TABLE {prefix}turns ADD COLUMN retries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE {prefix}turns ADD COLUMN not_before TIMESTAMPTZ;

-- 0, or for a turn that runs beside others its own `seq`.
ALTER TABLE {prefix}turns ADD COLUMN slot BIGINT NOT NULL DEFAULT 0;

DROP INDEX {prefix}turns_running;

CREATE UNIQUE INDEX {prefix}turns_running ON {prefix}turns (thread_pk, slot) WHERE state = 'running';

-- For those who renew their leases, for those who look for leases that ran out, and for turns that nobody runs.
CREATE INDEX {prefix}turns_held ON {prefix}turns (node) WHERE state = 'running';
CREATE INDEX {prefix}turns_leased ON {prefix}turns (lease_until) WHERE state = 'running';
CREATE INDEX {prefix}turns_queued ON {prefix}turns (thread_pk) WHERE state = 'queued';
