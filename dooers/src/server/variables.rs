//! The names of the environment variables.

/// The beginning of all names but `DATABASE_URL`.
pub(super) const PREFIX: &str = "WORKER_";

/// The beginning of the names of variables for one agent.
pub(super) const AGENT_PREFIX: &str = "WORKER_AGENT_";

/// The names that begin with [`PREFIX`], without those for one agent, in the order of the alphabet.
pub(super) const VARIABLES: &[&str] = &[
    "WORKER_ALLOWED_HOSTS",
    "WORKER_ALLOWED_ORIGINS",
    "WORKER_ALLOW_OPEN",
    "WORKER_ANALYTICS",
    "WORKER_ANALYTICS_DISABLED_EVENTS",
    "WORKER_ANALYTICS_WEBHOOK_ALLOW_PRIVATE",
    "WORKER_ANALYTICS_WEBHOOK_MAX_AGE",
    "WORKER_ANALYTICS_WEBHOOK_MAX_EVENTS",
    "WORKER_ANALYTICS_WEBHOOK_SECRET",
    "WORKER_ANALYTICS_WEBHOOK_TIMEOUT",
    "WORKER_ANALYTICS_WEBHOOK_URL",
    "WORKER_ASSISTANT_NAME",
    "WORKER_AUTH_GRACE",
    "WORKER_AUTH_TIMEOUT",
    "WORKER_AUTH_WEBHOOK_ALLOW_PRIVATE",
    "WORKER_AUTH_WEBHOOK_SECRET",
    "WORKER_AUTH_WEBHOOK_TIMEOUT",
    "WORKER_AUTH_WEBHOOK_URL",
    "WORKER_BIND",
    "WORKER_CONNECT_TIMEOUT",
    "WORKER_DATABASE_AUTO_MIGRATE",
    "WORKER_DATABASE_CONNECT_TIMEOUT",
    "WORKER_DATABASE_DIRECT_URL",
    "WORKER_DATABASE_HOST",
    "WORKER_DATABASE_MIGRATION_TIMEOUT",
    "WORKER_DATABASE_NAME",
    "WORKER_DATABASE_PASSWORD",
    "WORKER_DATABASE_POOL_SIZE",
    "WORKER_DATABASE_PORT",
    "WORKER_DATABASE_SSL",
    "WORKER_DATABASE_SSL_CLIENT_CERT",
    "WORKER_DATABASE_SSL_CLIENT_KEY",
    "WORKER_DATABASE_SSL_ROOT_CERT",
    "WORKER_DATABASE_STATEMENT_CACHE",
    "WORKER_DATABASE_STATEMENT_TIMEOUT",
    "WORKER_DATABASE_TABLE_PREFIX",
    "WORKER_DATABASE_TYPE",
    "WORKER_DATABASE_USER",
    "WORKER_DRAIN_TIMEOUT",
    "WORKER_JWT_AUDIENCE",
    "WORKER_JWT_CLAIM_EMAIL",
    "WORKER_JWT_CLAIM_NAME",
    "WORKER_JWT_CLAIM_ORGANIZATION",
    "WORKER_JWT_CLAIM_RIGHTS",
    "WORKER_JWT_CLAIM_ROLE",
    "WORKER_JWT_CLAIM_USER",
    "WORKER_JWT_CLAIM_WORKERS",
    "WORKER_JWT_CLAIM_WORKSPACE",
    "WORKER_JWT_ISSUER",
    "WORKER_JWT_JWKS_URL",
    "WORKER_JWT_LEEWAY",
    "WORKER_JWT_PUBLIC_KEY",
    "WORKER_JWT_SECRET",
    "WORKER_LEASE",
    "WORKER_MAX_ANSWER_BYTES",
    "WORKER_MAX_CONNECTIONS",
    "WORKER_MAX_FRAME_BYTES",
    "WORKER_MAX_OUTBOUND_BYTES",
    "WORKER_MAX_OUTBOUND_FRAMES",
    "WORKER_MAX_OUTBOUND_TOTAL",
    "WORKER_MAX_PENDING_CONNECTIONS",
    "WORKER_MAX_PENDING_PER_ADDRESS",
    "WORKER_PING_INTERVAL",
    "WORKER_PONG_TIMEOUT",
    "WORKER_PRIVATE_THREADS",
    "WORKER_QUOTAS",
    "WORKER_QUOTA_CONNECTIONS",
    "WORKER_QUOTA_FAILED_AUTHENTICATIONS_PER_MINUTE",
    "WORKER_QUOTA_FLOOD_TIMEOUT",
    "WORKER_QUOTA_FRAMES_PER_SECOND",
    "WORKER_QUOTA_FRAME_BURST",
    "WORKER_QUOTA_FRAME_BYTES_PER_MINUTE",
    "WORKER_QUOTA_MESSAGES_PER_MINUTE",
    "WORKER_QUOTA_MESSAGE_BURST",
    "WORKER_QUOTA_SETTINGS_PATCHES_PER_MINUTE",
    "WORKER_QUOTA_SUBSCRIPTIONS",
    "WORKER_QUOTA_THREADS_PER_DAY",
    "WORKER_QUOTA_WAITING_TURNS",
    "WORKER_REQUEST_TIMEOUT",
    "WORKER_SECRET_KEY",
    "WORKER_SENT_ID_RETENTION_DAYS",
    "WORKER_STALL_TIMEOUT",
    "WORKER_TOKENS_FILE",
    "WORKER_TRUSTED_PROXIES",
    "WORKER_USAGE_LIMIT_ORGANIZATION_DAY",
    "WORKER_USAGE_LIMIT_ORGANIZATION_MONTH",
    "WORKER_USAGE_LIMIT_USER_DAY",
    "WORKER_USAGE_LIMIT_USER_MONTH",
    "WORKER_USAGE_LIMIT_WORKER_DAY",
    "WORKER_USAGE_LIMIT_WORKER_MONTH",
];

/// Returns true for a variable of the list, one of an agent, and one without the [`PREFIX`].
pub(super) fn is_known_or_foreign(variable: &str) -> bool {
    !variable.starts_with(PREFIX)
        || variable.starts_with(AGENT_PREFIX)
        || VARIABLES.binary_search(&variable).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_documentation() {
        let rows = include_str!("config_env.rs").lines().filter_map(|line| {
            let cell = line.trim().strip_prefix("/// | `")?.split('|').next()?;
            Some(cell.split('`').filter(|name| name.starts_with(PREFIX)))
        });
        let documented = rows
            .flatten()
            .filter(|name| !name.starts_with(AGENT_PREFIX));
        let mut documented: Vec<_> = documented.collect();
        documented.sort_unstable();
        assert_eq!(documented, VARIABLES);
    }
}
