-- The usage that turns report. The rows stay when their thread is deleted, so that limits are not reset.
CREATE TABLE {prefix}usage (
    id TEXT NOT NULL PRIMARY KEY,
    scope_pk INTEGER NOT NULL REFERENCES {prefix}scopes (pk),
    thread_id TEXT NOT NULL,
    run_id TEXT,
    -- The sender of the message that the turn answers. Empty for an anonymous user.
    user_id TEXT NOT NULL,
    model TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    -- Empty if the cost is unknown. The cost is the sum of its units and of its picos, which are 10^-12 units.
    currency TEXT NOT NULL,
    cost_units INTEGER NOT NULL,
    cost_picos INTEGER NOT NULL,
    used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX {prefix}usage_newest ON {prefix}usage (scope_pk, used_at);

-- The sums of these rows for an organization, a user of an organization, and a worker. A day is a number of days since
-- 1970, in UTC.
CREATE TABLE {prefix}usage_totals (
    owner_type TEXT NOT NULL CHECK (owner_type IN ('organization', 'user', 'worker')),
    owner_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    currency TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    cost_units INTEGER NOT NULL,
    cost_picos INTEGER NOT NULL,
    PRIMARY KEY (owner_type, owner_id, user_id, day, currency)
) STRICT, WITHOUT ROWID;

-- A JSON array of the sums by model, or null if the run has reported nothing.
ALTER TABLE {prefix}runs ADD COLUMN usage TEXT;
