-- The settings that were changed, one row a field.
CREATE TABLE {prefix}settings (
    agent TEXT NOT NULL,
    worker_id TEXT NOT NULL,
    field_id TEXT NOT NULL,
    -- Any JSON; with a `key_id` a JSON text, which is sealed with that key.
    value TEXT NOT NULL,
    key_id TEXT,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (agent, worker_id, field_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX {prefix}settings_sealed ON {prefix}settings (key_id) WHERE key_id IS NOT NULL;
