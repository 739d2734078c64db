-- The settings that were changed, one row a field.
CREATE TABLE {prefix}settings (
    agent TEXT COLLATE "C" NOT NULL,
    worker_id TEXT COLLATE "C" NOT NULL,
    field_id TEXT COLLATE "C" NOT NULL,
    -- Any JSON; with a `key_id` a JSON text, which is sealed with that key.
    value JSONB NOT NULL,
    key_id TEXT COLLATE "C",
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (agent, worker_id, field_id)
);

CREATE INDEX {prefix}settings_sealed ON {prefix}settings (key_id) WHERE key_id IS NOT NULL;
