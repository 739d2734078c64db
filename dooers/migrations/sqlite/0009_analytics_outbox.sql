-- Analytics events that wait for the webhook, as JSON. They are written in the transaction of the change that they
-- describe, and only while a webhook is configured.
CREATE TABLE {prefix}outbox (
    pk INTEGER PRIMARY KEY,
    worker_id TEXT NOT NULL,
    event TEXT NOT NULL,
    stored_at INTEGER NOT NULL,
    -- The batch that contains the event.
    batch_pk INTEGER
) STRICT;

CREATE INDEX {prefix}outbox_waiting ON {prefix}outbox (worker_id, pk) WHERE batch_pk IS NULL;
CREATE INDEX {prefix}outbox_batched ON {prefix}outbox (batch_pk, pk) WHERE batch_pk IS NOT NULL;

-- Batches of events that were sent and not confirmed, or are being sent. There are at most a few per process.
CREATE TABLE {prefix}batches (
    pk INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    worker_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    -- The process that sends the batch, and the end of its lease.
    node TEXT,
    lease_until INTEGER,
    -- The time before which the batch is not sent again.
    not_before INTEGER
) STRICT;
