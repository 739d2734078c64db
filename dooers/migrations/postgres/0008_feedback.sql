-- The likes and dislikes of users: at most one of each participant for each event, run and thread.
CREATE TABLE {prefix}feedback (
    thread_pk BIGINT NOT NULL,
    participant TEXT COLLATE "C" NOT NULL,
    target_type TEXT COLLATE "C" NOT NULL CHECK (target_type IN ('event', 'run', 'thread')),
    target_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    -- Repeats the thread's row.
    scope_pk BIGINT NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    opinion TEXT COLLATE "C" NOT NULL CHECK (opinion IN ('like', 'dislike')),
    reason TEXT,
    classification TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (thread_pk, participant, target_type, target_id)
);

CREATE INDEX {prefix}feedback_newest ON {prefix}feedback (scope_pk, updated_at, id);
