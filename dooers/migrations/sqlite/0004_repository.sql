-- Whether an event was removed: its place is kept, and nothing of what it said.
ALTER TABLE {prefix}events ADD COLUMN deleted INTEGER;

-- Runs that no turn has answer no message; and the runs of a scope are listed by when they began.
CREATE TABLE {prefix}runs_of_scopes (
    pk INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    thread_pk INTEGER NOT NULL REFERENCES {prefix}threads (pk) ON DELETE CASCADE,
    -- Repeats the thread's row.
    scope_pk INTEGER NOT NULL,
    -- The message that it answers.
    event_id TEXT,
    -- The numbers of the change that made it, and of its last change.
    first_rev INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    agent_id TEXT,
    status TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    error TEXT,
    -- In this order, so that new entries lie side by side, whatever their thread.
    UNIQUE (id, thread_pk)
) STRICT;

INSERT INTO {prefix}runs_of_scopes
    (pk, id, thread_pk, scope_pk, event_id, first_rev, rev, agent_id, status, started_at, ended_at, error)
SELECT r.pk, r.id, r.thread_pk, t.scope_pk, r.event_id, r.first_rev, r.rev, r.agent_id, r.status, r.started_at,
    r.ended_at, r.error
FROM {prefix}runs r JOIN {prefix}threads t ON t.pk = r.thread_pk;

DROP TABLE {prefix}runs;

ALTER TABLE {prefix}runs_of_scopes RENAME TO {prefix}runs;

-- For those that go on as well as for those that changed: one index less to write.
CREATE INDEX {prefix}runs_changed ON {prefix}runs (thread_pk, status, rev, first_rev);

-- New entries of a scope lie side by side, whatever their thread.
CREATE INDEX {prefix}runs_newest ON {prefix}runs (scope_pk, started_at, id);
