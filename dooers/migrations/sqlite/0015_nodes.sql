-- The process that uses the file, with its last report, and processes that died. (PostgreSQL has several processes.)
CREATE TABLE {prefix}nodes (
    id TEXT PRIMARY KEY NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('starting', 'serving', 'draining')),
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    -- The process counts as dead after this time.
    alive_until INTEGER NOT NULL,
    version TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    broker TEXT NOT NULL,
    is_connected INTEGER NOT NULL,
    malformed_messages INTEGER NOT NULL,
    connections INTEGER NOT NULL,
    running_turns INTEGER NOT NULL,
    host TEXT NOT NULL,
    process_id INTEGER NOT NULL
) STRICT;
