-- Times are microseconds since 1970. Texts named "a JSON …" hold JSON. `pk` never leaves the database: it keeps
-- the indices of the large tables small.

CREATE TABLE {prefix}workspaces (
    pk INTEGER PRIMARY KEY,
    worker_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    UNIQUE (worker_id, organization_id, workspace_id)
) STRICT;

-- The threads of one agent in a workspace, counted.
CREATE TABLE {prefix}scopes (
    pk INTEGER PRIMARY KEY,
    workspace_pk INTEGER NOT NULL REFERENCES {prefix}workspaces (pk),
    agent TEXT NOT NULL,
    threads INTEGER NOT NULL DEFAULT 0,
    UNIQUE (workspace_pk, agent)
) STRICT;

CREATE TABLE {prefix}threads (
    pk INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    scope_pk INTEGER NOT NULL REFERENCES {prefix}scopes (pk),
    -- A JSON object, and a JSON array of such, in the order in which they first wrote.
    owner TEXT NOT NULL,
    users TEXT NOT NULL,
    title TEXT,
    -- Any JSON.
    metadata TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    last_event_at INTEGER NOT NULL,
    -- The numbers of the last change, of the last change of this row, and of the last event.
    rev INTEGER NOT NULL,
    row_rev INTEGER NOT NULL,
    last_seq INTEGER NOT NULL
) STRICT;

CREATE INDEX {prefix}threads_newest ON {prefix}threads (scope_pk, last_event_at, id);

-- Who has written in a thread, in the order of `place`. The rest repeats the thread's row, for the list of those
-- threads that a participant may see.
CREATE TABLE {prefix}participants (
    thread_pk INTEGER NOT NULL REFERENCES {prefix}threads (pk) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    participant TEXT NOT NULL,
    scope_pk INTEGER NOT NULL,
    last_event_at INTEGER NOT NULL,
    thread_id TEXT NOT NULL,
    PRIMARY KEY (thread_pk, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX {prefix}participants_newest
    ON {prefix}participants (scope_pk, participant, last_event_at, thread_id);

-- In how many threads of a scope somebody takes part. There is no row for none.
CREATE TABLE {prefix}participant_counts (
    scope_pk INTEGER NOT NULL,
    participant TEXT NOT NULL,
    threads INTEGER NOT NULL,
    PRIMARY KEY (scope_pk, participant)
) STRICT, WITHOUT ROWID;

CREATE TABLE {prefix}events (
    pk INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    thread_pk INTEGER NOT NULL REFERENCES {prefix}threads (pk) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    -- The numbers of the change that made it, and of its last change.
    first_rev INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    run_id TEXT,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    author TEXT,
    -- A JSON object, a JSON array, any JSON.
    sender TEXT,
    content TEXT,
    data TEXT,
    created_at INTEGER NOT NULL,
    streaming INTEGER,
    finalized INTEGER,
    client_event_id TEXT,
    -- The event of the form that this one answers.
    answers TEXT,
    UNIQUE (thread_pk, seq)
) STRICT;

-- Those that were edited. Few are, and an index of all of them would cost each new event another page.
CREATE INDEX {prefix}events_edited ON {prefix}events (thread_pk, rev, seq) WHERE rev <> first_rev;

CREATE UNIQUE INDEX {prefix}events_answer ON {prefix}events (thread_pk, answers) WHERE answers IS NOT NULL;

CREATE TABLE {prefix}runs (
    pk INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    thread_pk INTEGER NOT NULL REFERENCES {prefix}threads (pk) ON DELETE CASCADE,
    -- The message that it answers.
    event_id TEXT NOT NULL,
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

-- For those that go on as well as for those that changed: one index less to write.
CREATE INDEX {prefix}runs_changed ON {prefix}runs (thread_pk, status, rev, first_rev);

-- The messages that wait for an answer or are being answered. `seq` is that of the message.
CREATE TABLE {prefix}turns (
    thread_pk INTEGER NOT NULL REFERENCES {prefix}threads (pk) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running')),
    attempt INTEGER NOT NULL DEFAULT 0,
    -- Raised by each claim: who writes with an older one is refused.
    fence INTEGER NOT NULL DEFAULT 0,
    node TEXT,
    lease_until INTEGER,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (thread_pk, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX {prefix}turns_running ON {prefix}turns (thread_pk) WHERE state = 'running';

-- Which event came of a client's message: kept when the thread is deleted, so that a message that is sent again
-- never makes a second one.
CREATE TABLE {prefix}sent (
    workspace_pk INTEGER NOT NULL,
    participant TEXT NOT NULL,
    client_event_id TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (workspace_pk, participant, client_event_id)
) STRICT, WITHOUT ROWID;
