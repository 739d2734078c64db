-- The processes that use these tables, with their last reports. A process renews its row while it runs, and removes it when
-- it stops. The row of a process that died stays for some time.
CREATE TABLE {prefix}nodes (
    id TEXT COLLATE "C" PRIMARY KEY,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('starting', 'serving', 'draining')),
    started_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    -- The process counts as dead after this time.
    alive_until TIMESTAMPTZ NOT NULL,
    version TEXT NOT NULL,
    schema_version BIGINT NOT NULL,
    broker TEXT NOT NULL,
    is_connected BOOLEAN NOT NULL,
    malformed_messages BIGINT NOT NULL,
    connections BIGINT NOT NULL,
    running_turns BIGINT NOT NULL,
    host TEXT NOT NULL,
    process_id BIGINT NOT NULL
) WITH (fillfactor = 50);

-- True if a program that does not know the migration cannot use the tables after it. Its processes find that out here.
ALTER TABLE {prefix}schema_migrations ADD COLUMN is_breaking BOOLEAN NOT NULL DEFAULT false;
