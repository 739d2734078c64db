-- Whether an event was removed: its place is kept, and nothing of what it said.
ALTER TABLE {prefix}events ADD COLUMN deleted BOOLEAN;

-- Runs that no turn has answer no message; and the runs of a scope are listed by when they began.
ALTER TABLE {prefix}runs ALTER COLUMN event_id DROP NOT NULL;

-- Of processes that begin such runs under the same id at once, one does. (SQLite has one process.)
CREATE UNIQUE INDEX {prefix}runs_own ON {prefix}runs (id) WHERE event_id IS NULL;

-- Repeats the thread's row.
ALTER TABLE {prefix}runs ADD COLUMN scope_pk BIGINT;
UPDATE {prefix}runs r SET scope_pk = t.scope_pk FROM {prefix}threads t WHERE t.pk = r.thread_pk;
ALTER TABLE {prefix}runs ALTER COLUMN scope_pk SET NOT NULL;

-- New entries of a scope lie side by side, whatever their thread.
CREATE INDEX {prefix}runs_newest ON {prefix}runs (scope_pk, started_at, id);
