-- The usage that turns report. The rows stay when their thread is deleted, so that limits are not reset.
CREATE TABLE {prefix}usage (
    id TEXT COLLATE "C" PRIMARY KEY,
    scope_pk BIGINT NOT NULL,
    thread_id TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C",
    -- The sender of the message that the turn answers. Empty for an anonymous user.
    user_id TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    -- Empty if the cost is unknown. The cost is the sum of its units and of its picos, which are 10^-12 units.
    currency TEXT COLLATE "C" NOT NULL,
    cost_units BIGINT NOT NULL,
    cost_picos BIGINT NOT NULL,
    used_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX {prefix}usage_newest ON {prefix}usage (scope_pk, used_at);

-- The sums of these rows for an organization, a user of an organization, and a worker. A day is a number of days since
-- 1970, in UTC.
CREATE TABLE {prefix}usage_totals (
    owner_type TEXT COLLATE "C" NOT NULL CHECK (owner_type IN ('organization', 'user', 'worker')),
    owner_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    day BIGINT NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    tokens BIGINT NOT NULL,
    cost_units BIGINT NOT NULL,
    cost_picos BIGINT NOT NULL,
    PRIMARY KEY (owner_type, owner_id, user_id, day, currency)
) WITH (fillfactor = 50);

-- A JSON array of the sums by model, or null if the run has reported nothing.
ALTER TABLE {prefix}runs ADD COLUMN usage TEXT;
