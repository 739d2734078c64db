-- Ids are compared byte by byte, whatever the database's own order is. `pk` never leaves the database: it keeps the
-- indices of the large tables small. Nothing refers to anything by a foreign key: what belongs to a thread is written and
-- deleted in one statement with it, and to check each row by itself would cost more than to write it.

CREATE TABLE {prefix}workspaces (
    pk BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    worker_id TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    workspace_id TEXT COLLATE "C" NOT NULL,
    UNIQUE (worker_id, organization_id, workspace_id)
);

-- The threads of one agent in a workspace, counted.
CREATE TABLE {prefix}scopes (
    pk BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_pk BIGINT NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    threads BIGINT NOT NULL DEFAULT 0,
    UNIQUE (workspace_pk, agent)
);

-- Writers take numbers for new threads by the thousand.
CREATE SEQUENCE {prefix}thread_pks INCREMENT BY 1024;

CREATE TABLE {prefix}threads (
    pk BIGINT PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    scope_pk BIGINT NOT NULL,
    -- Raised by each statement that writes anything of the thread: who has read it knows whether it is as it was.
    version BIGINT NOT NULL,
    -- A JSON object, and a JSON array of such, in the order in which they first wrote.
    owner JSONB NOT NULL,
    users JSONB NOT NULL,
    title TEXT,
    -- Any JSON.
    metadata JSONB,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    last_event_at TIMESTAMPTZ NOT NULL,
    -- The numbers of the last change, of the last change of this row, and of the last event.
    rev BIGINT NOT NULL,
    row_rev BIGINT NOT NULL,
    last_seq BIGINT NOT NULL
) WITH (fillfactor = 80);

CREATE INDEX {prefix}threads_newest ON {prefix}threads (scope_pk, last_event_at, id);

-- Who has written in a thread, in the order of `place`. The rest repeats the thread's row, for the list of those
-- threads that a participant may see.
CREATE TABLE {prefix}participants (
    thread_pk BIGINT NOT NULL,
    place BIGINT NOT NULL,
    participant TEXT COLLATE "C" NOT NULL,
    scope_pk BIGINT NOT NULL,
    last_event_at TIMESTAMPTZ NOT NULL,
    thread_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (thread_pk, place)
) WITH (fillfactor = 80);

CREATE INDEX {prefix}participants_newest
    ON {prefix}participants (scope_pk, participant, last_event_at, thread_id);

-- In how many threads of a scope somebody takes part. A row of none may be left.
CREATE TABLE {prefix}participant_counts (
    scope_pk BIGINT NOT NULL,
    participant TEXT COLLATE "C" NOT NULL,
    threads BIGINT NOT NULL,
    PRIMARY KEY (scope_pk, participant)
) WITH (fillfactor = 80);

CREATE TABLE {prefix}events (
    thread_pk BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    -- The numbers of the change that made it, and of its last change.
    first_rev BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    run_id TEXT COLLATE "C",
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    author TEXT,
    -- A JSON object, a JSON array, any JSON.
    sender JSONB,
    content JSONB,
    data JSONB,
    created_at TIMESTAMPTZ NOT NULL,
    streaming BOOLEAN,
    finalized BOOLEAN,
    client_event_id TEXT,
    -- The event of the form that this one answers.
    answers TEXT COLLATE "C",
    PRIMARY KEY (thread_pk, seq)
);

-- Those that were edited.
CREATE INDEX {prefix}events_edited ON {prefix}events (thread_pk, rev, seq) WHERE rev <> first_rev;

CREATE INDEX {prefix}events_answer ON {prefix}events (thread_pk, answers) WHERE answers IS NOT NULL;

CREATE TABLE {prefix}runs (
    thread_pk BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    -- The message that it answers.
    event_id TEXT COLLATE "C" NOT NULL,
    -- The numbers of the change that made it, and of its last change.
    first_rev BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    agent_id TEXT,
    status TEXT COLLATE "C" NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    error TEXT,
    -- In this order, so that new entries lie side by side, whatever their thread.
    PRIMARY KEY (id, thread_pk)
) WITH (fillfactor = 90);

-- For those that go on as well as for those that changed: one index less to write.
CREATE INDEX {prefix}runs_changed ON {prefix}runs (thread_pk, status, rev, first_rev);

-- The messages that wait for an answer or are being answered. `seq` is that of the message.
CREATE TABLE {prefix}turns (
    thread_pk BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('queued', 'running')),
    attempt BIGINT NOT NULL DEFAULT 0,
    -- Raised by each claim: who writes with an older one is refused.
    fence BIGINT NOT NULL DEFAULT 0,
    node TEXT COLLATE "C",
    -- By the database's clock.
    lease_until TIMESTAMPTZ,
    cancel_requested BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (thread_pk, seq)
);

CREATE UNIQUE INDEX {prefix}turns_running ON {prefix}turns (thread_pk) WHERE state = 'running';

-- Which event came of a client's message: kept when the thread is deleted, so that a message that is sent again
-- never makes a second one.
CREATE TABLE {prefix}sent (
    workspace_pk BIGINT NOT NULL,
    participant TEXT COLLATE "C" NOT NULL,
    client_event_id TEXT COLLATE "C" NOT NULL,
    thread_id TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (workspace_pk, participant, client_event_id)
);

-- Those who write, each with the number of its last statement: whether a statement whose answer was lost was
-- committed is read here, and one of a dead connection that comes late is refused here.
CREATE TABLE {prefix}writers (
    id TEXT COLLATE "C" PRIMARY KEY,
    statements BIGINT NOT NULL,
    -- Raised by each of its connections: a statement of an older one does nothing.
    epoch BIGINT NOT NULL,
    -- Of the last statement: the threads that were not as they had been read, and of which nothing was written.
    refused BIGINT[] NOT NULL,
    used_at TIMESTAMPTZ NOT NULL
) WITH (fillfactor = 50);
