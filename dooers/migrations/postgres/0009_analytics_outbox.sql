-- Analytics events that wait for the webhook, as JSON. They are written in the transaction of the change that they
-- describe, and only while a webhook is configured.
CREATE TABLE {prefix}outbox (
    pk bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    worker_id text COLLATE "C" NOT NULL,
    event text NOT NULL,
    stored_at timestamptz NOT NULL,
    -- The batch that contains the event.
    batch_pk bigint
);

CREATE INDEX {prefix}outbox_waiting ON {prefix}outbox (worker_id, pk) WHERE batch_pk IS NULL;
CREATE INDEX {prefix}outbox_batched ON {prefix}outbox (batch_pk, pk) WHERE batch_pk IS NOT NULL;

-- Batches of events that were sent and not confirmed, or are being sent. There are at most a few per process.
CREATE TABLE {prefix}batches (
    pk bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    worker_id text COLLATE "C" NOT NULL,
    attempt bigint NOT NULL,
    -- The process that sends the batch, and the end of its lease.
    node text COLLATE "C",
    lease_until timestamptz,
    -- The time before which the batch is not sent again.
    not_before timestamptz
);
