-- The likes and dislikes of users: at most one of each participant for each event, run and thread.
CREATE TABLE {prefix}feedback (
    pk INTEGER PRIMARY KEY,
    thread_pk INTEGER NOT NULL REFERENCES {prefix}threads (pk) ON DELETE CASCADE,
    participant TEXT NOT NULL,
    target_type TEXT NOT NULL CHECK (target_type IN ('event', 'run', 'thread')),
    target_id TEXT NOT NULL,
    id TEXT NOT NULL,
    -- Repeats the thread's row.
    scope_pk INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    opinion TEXT NOT NULL CHECK (opinion IN ('like', 'dislike')),
    reason TEXT,
    classification TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (thread_pk, participant, target_type, target_id)
) STRICT;

CREATE INDEX {prefix}feedback_newest ON {prefix}feedback (scope_pk, updated_at, id);
