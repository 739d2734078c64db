//! The configuration of a server in environment variables.

use super::agent_variables::AgentVariables;
use super::analytics_events::AnalyticsEvents;
use super::auth_env::authenticator;
use super::config::WorkerConfig;
use super::config_error::ConfigError;
use super::env::Environment;
use super::misspelled_variables::MisspelledVariables;
#[cfg(feature = "playground")]
use super::playground_config::PLAYGROUND;
use super::quota::quotas;
use super::usage_limits::usage_limits;
use std::ffi::OsString;

impl WorkerConfig {
    /// Reads the configuration from environment variables. A variable that is not set has its default.
    ///
    /// | variable | default | meaning |
    /// |---|---|---|
    /// | `WORKER_DATABASE_TYPE` | `sqlite`; without that feature, `postgres`; without both, `memory` | `sqlite`, `postgres`, or `memory`, whose contents are lost when the process ends |
    /// | `WORKER_DATABASE_NAME` | `worker.db` | the path of the SQLite file; or the name of the PostgreSQL database, by default the name of the user |
    /// | `WORKER_DATABASE_TABLE_PREFIX` | `worker_` | prefix of the names of tables |
    /// | `WORKER_DATABASE_AUTO_MIGRATE` | `true` | whether tables are created and updated at start |
    /// | `DATABASE_URL` | | the PostgreSQL database: `postgres://user:password@host:5432/name?sslmode=verify-full`. It selects PostgreSQL and overrides all other variables of the database |
    /// | `WORKER_DATABASE_HOST` | this machine | the name or address of the PostgreSQL server, or the directory of its Unix socket |
    /// | `WORKER_DATABASE_PORT` | `5432` | the port of the PostgreSQL server |
    /// | `WORKER_DATABASE_USER` | the system's user | the user to connect as |
    /// | `WORKER_DATABASE_PASSWORD` | | the user's password |
    /// | `WORKER_DATABASE_SSL` | `prefer` | how connections are encrypted: `true` (which is `verify-full`), `false`, `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`. With a root certificate the default is `verify-full` |
    /// | `WORKER_DATABASE_SSL_ROOT_CERT` | | certificates of further authorities to trust besides the public ones: a path, or PEM |
    /// | `WORKER_DATABASE_SSL_CLIENT_CERT` | | the client certificate: a path, or PEM |
    /// | `WORKER_DATABASE_SSL_CLIENT_KEY` | | the key of the client certificate: a path, or PEM |
    /// | `WORKER_DATABASE_POOL_SIZE` | `10` | maximum number of connections that read |
    /// | `WORKER_DATABASE_CONNECT_TIMEOUT` | `10` | how long to keep trying to reach the database, in seconds, at start and after the connection was lost |
    /// | `WORKER_DATABASE_STATEMENT_TIMEOUT` | `30` | maximum duration of a statement, in seconds. After that, requests are refused with `OVERLOADED`, even if the database does not answer at all |
    /// | `WORKER_DATABASE_MIGRATION_TIMEOUT` | `3600` | maximum duration of all migrations together at start, in seconds |
    /// | `WORKER_DATABASE_STATEMENT_CACHE` | `100` | number of prepared statements that a connection keeps; use `0` with a pooler in transaction mode, such as PgBouncer |
    /// | `WORKER_DATABASE_DIRECT_URL` | | the URL of the PostgreSQL server itself, so that migrations and the broker bypass the pooler. Values that are missing in it are taken from the other variables |
    /// | `WORKER_BROKER` | `postgres` with a PostgreSQL database, otherwise `none` | how the processes that share a database notify each other of their changes: `postgres` (`NOTIFY` and `LISTEN`), `none`, or with a PostgreSQL database the URLs of NATS servers of one cluster, separated by commas: `nats://user:password@host:4222`, or `tls://…` for encrypted connections (feature `nats`); see [`BrokerKind`](crate::BrokerKind) |
    /// | `WORKER_BROKER_CREDENTIALS_FILE` | | the path of a file with a JSON Web Token and an NKey for the NATS server, as `nsc` writes it. A client has at most one of a password, a file of credentials, an NKey and a token |
    /// | `WORKER_BROKER_NKEY` | | the seed of an NKey for the NATS server |
    /// | `WORKER_BROKER_TOKEN` | | a token for the NATS server |
    /// | `WORKER_BROKER_SSL_ROOT_CERT` | | certificates of further authorities to trust besides the public ones: a path, or PEM. Connections to the NATS server are then always encrypted |
    /// | `WORKER_BROKER_SSL_CLIENT_CERT` | | the client certificate for the NATS server: a path, or PEM |
    /// | `WORKER_BROKER_SSL_CLIENT_KEY` | | the key of the client certificate: a path, or PEM |
    /// | `WORKER_BIND` | `127.0.0.1:8000` | address or name to listen on, and port, such as `0.0.0.0:8000`, `[::1]:8000` or `localhost:8000`; see [`BindAddress`](crate::BindAddress) |
    /// | `WORKER_ALLOWED_ORIGINS` | | further origins whose pages may use the server, such as `https://chat.example.com`, separated by commas; see [`allowed_origins`](Self::allowed_origins) |
    /// | `WORKER_ALLOWED_HOSTS` | | further host names by which a server on a loopback address may be reached, such as `chat.example.com`, separated by commas; see [`allowed_hosts`](Self::allowed_hosts) |
    /// | `WORKER_ALLOW_OPEN` | `false` | whether a server without an authenticator may listen on an address that other machines can reach; see [`allow_open_on_any_address`](Self::allow_open_on_any_address) |
    /// | `WORKER_TRUSTED_PROXIES` | | addresses and ranges (`10.0.0.5`, `10.0.0.0/8`) of the proxies whose `X-Forwarded-For`, `-Proto` and `-Host` count, separated by commas; see [`trusted_proxies`](Self::trusted_proxies) |
    /// | `WORKER_PLAYGROUND` | | `on` or `off`: whether the server serves the playground at `/` (feature `playground`). By default, it serves the page if it listens on a loopback address |
    /// | `WORKER_TOKENS_FILE` | | the TOML file with the tokens of [`StaticTokens`](crate::auth::StaticTokens). A server has at most one authenticator |
    /// | `WORKER_AUTH_WEBHOOK_URL` | | the URL that decides about tokens, as for [`WebhookAuthenticator`](crate::auth) (feature `auth-webhook`) |
    /// | `WORKER_AUTH_WEBHOOK_SECRET` | | the secret with which the requests to that URL are signed; required with it |
    /// | `WORKER_AUTH_WEBHOOK_ALLOW_PRIVATE` | `false` | whether that URL may lead to a private network |
    /// | `WORKER_AUTH_WEBHOOK_TIMEOUT` | `5` | time in seconds within which it must answer |
    /// | `WORKER_JWT_SECRET` | | clients need a JSON Web Token (feature `jwt`), signed with this secret of at least 32 bytes (HS256) |
    /// | `WORKER_JWT_PUBLIC_KEY` | | the same for tokens that are signed with a private key: its public key in PEM, or the path of a file with it. The type of the key decides the algorithm: RS256, ES256, ES384 or EdDSA |
    /// | `WORKER_JWT_JWKS_URL` | | the same for tokens that are signed with a key that their issuer publishes at this URL, which must start with `https://`, or name this machine |
    /// | `WORKER_JWT_ISSUER` | | the issuer of the tokens, which `iss` must equal. Required with a key |
    /// | `WORKER_JWT_AUDIENCE` | | the audiences, separated by commas, one of which `aud` must name. Required with a key |
    /// | `WORKER_JWT_LEEWAY` | `60` | how far the clocks of the issuer and of this server may differ, in seconds, at most 300 |
    /// | `WORKER_JWT_CLAIM_USER` | `sub` | the claim with the id of the user. A name may be a path such as `app_metadata.org.id` |
    /// | `WORKER_JWT_CLAIM_NAME`, `WORKER_JWT_CLAIM_EMAIL` | `name`, `email` | the claims with the name and the email address of the user |
    /// | `WORKER_JWT_CLAIM_ORGANIZATION`, `WORKER_JWT_CLAIM_WORKSPACE` | `org_id`, `workspace_id` | the claims with the organization and the workspace. A token needs the claim if the variable is set |
    /// | `WORKER_JWT_CLAIM_ROLE` | `roles` | the claim with the role in the organization: a text or a list |
    /// | `WORKER_JWT_CLAIM_WORKERS` | `workers` | the claim with the list of workers that the user may use. Without it, the user may use every worker, unless the variable is set |
    /// | `WORKER_JWT_CLAIM_RIGHTS` | `rights` | the claim with a list of `settings`, `creator_settings` and `analytics` |
    /// | `WORKER_ASSISTANT_NAME` | `Assistant` | the author name on the agent's messages |
    /// | `WORKER_PRIVATE_THREADS` | `false` | whether a thread is visible only to users who have written in it, except where an agent has its own option |
    /// | `WORKER_SECRET_KEY` | | the keys that seal (encrypt) secret settings and the answers to password fields of forms: each 32 bytes in base64, separated by commas. The first key seals, and every key opens |
    /// | `WORKER_DRAIN_TIMEOUT` | `30` | how long running turns may continue when the server stops, in seconds. The process ends at most 3 s later |
    /// | `WORKER_DRAIN_DELAY` | `0` | how long a server that is asked to stop still accepts clients while `/readyz` answers 503, in seconds; see [`drain_delay`](Self::drain_delay) |
    /// | `WORKER_LEASE` | `30` | time in seconds after which the turns of a process are taken over if it does not renew its leases |
    /// | `WORKER_ANALYTICS` | `true` | whether analytics events are recorded |
    /// | `WORKER_ANALYTICS_DISABLED_EVENTS` | | analytics events that are not recorded, such as `message.c2s`, separated by commas; see [`disabled_analytics_events`](Self::disabled_analytics_events) |
    /// | `WORKER_ANALYTICS_WEBHOOK_URL` | | the URL to which analytics events are sent (feature `webhook`). It must start with `https://`, or name this machine |
    /// | `WORKER_ANALYTICS_WEBHOOK_SECRET` | | the secret that signs the events, at least 16 bytes. Required with a URL |
    /// | `WORKER_ANALYTICS_WEBHOOK_ALLOW_PRIVATE` | `false` | whether the receiver may be in a private network |
    /// | `WORKER_ANALYTICS_WEBHOOK_MAX_AGE` | `5` | how long an event waits for others before it is sent, in seconds |
    /// | `WORKER_ANALYTICS_WEBHOOK_MAX_EVENTS` | `100000` | maximum number of events that wait for the receiver; above that, the oldest are dropped |
    /// | `WORKER_ANALYTICS_WEBHOOK_TIMEOUT` | `10` | time in seconds within which the receiver must answer |
    /// | `WORKER_SENT_ID_RETENTION_DAYS` | `7` | how many days the `client_event_id`s of a deleted thread are kept |
    /// | `WORKER_USAGE_LIMIT_USER_DAY` | | the usage of a user per day (UTC) from which messages are refused: tokens such as `200000 tokens`, a cost such as `2.50 USD`, or both, separated by a comma. See [`usage_limit`](Self::usage_limit) |
    /// | `WORKER_USAGE_LIMIT_USER_MONTH` | | the same per calendar month |
    /// | `WORKER_USAGE_LIMIT_ORGANIZATION_DAY`, `WORKER_USAGE_LIMIT_ORGANIZATION_MONTH` | | the same for an organization |
    /// | `WORKER_USAGE_LIMIT_WORKER_DAY`, `WORKER_USAGE_LIMIT_WORKER_MONTH` | | the same for a worker |
    /// | `WORKER_QUOTAS` | | `true` or `false`: whether clients have quotas. By default they do if an authenticator checks them, or one of the next variables is set; see [`Quotas`](crate::Quotas). Each number may be `off` |
    /// | `WORKER_QUOTA_MESSAGES_PER_MINUTE` | `60` | maximum number of messages of a user per minute |
    /// | `WORKER_QUOTA_MESSAGE_BURST` | `20` | number of messages that may come at once |
    /// | `WORKER_QUOTA_FRAMES_PER_SECOND` | `100` | maximum number of frames of a user per second |
    /// | `WORKER_QUOTA_FRAME_BURST` | `200` | number of frames that may come at once |
    /// | `WORKER_QUOTA_FRAME_BYTES_PER_MINUTE` | `33554432` | maximum number of bytes of a user's frames per minute |
    /// | `WORKER_QUOTA_FRAME_BYTE_BURST` | `1048576` | number of bytes that may come at once, at most those of a minute; a larger frame is admitted when nothing else is spent |
    /// | `WORKER_QUOTA_SETTINGS_PATCHES_PER_MINUTE` | `30` | maximum number of changes of settings by a user per minute |
    /// | `WORKER_QUOTA_THREAD_UPDATES_PER_MINUTE` | `30` | maximum number of changes of threads' titles by a user per minute |
    /// | `WORKER_QUOTA_THREADS_PER_DAY` | `off` | maximum number of new threads of a user per 24 hours |
    /// | `WORKER_QUOTA_WAITING_TURNS` | `100` | maximum number of a user's messages whose turns have not ended |
    /// | `WORKER_QUOTA_CONNECTIONS` | `20` | maximum number of simultaneous connections of a user |
    /// | `WORKER_QUOTA_SUBSCRIPTIONS` | `1000` | maximum number of threads that a connection is subscribed to |
    /// | `WORKER_QUOTA_FAILED_AUTHENTICATIONS_PER_MINUTE` | `20` | maximum number of refused authentications of an address per minute |
    /// | `WORKER_QUOTA_FLOOD_TIMEOUT` | `30` | time in seconds after which a connection is closed whose client continues to send more frames than it may |
    /// | `WORKER_MAX_FRAME_BYTES` | `262144` | maximum size of a client's frame, in bytes |
    /// | `WORKER_MAX_ANSWER_BYTES` | `524288` | maximum size of a page, list or snapshot, in bytes of its events or threads; a single item may be larger |
    /// | `WORKER_MAX_OUTBOUND_BYTES` | `1048576` | maximum number of bytes that wait for one connection |
    /// | `WORKER_MAX_OUTBOUND_TOTAL` | `67108864` | maximum number of bytes that wait for all connections together |
    /// | `WORKER_MAX_OUTBOUND_FRAMES` | `2048` | maximum number of frames that wait for one connection |
    /// | `WORKER_MAX_CONNECTIONS` | the limit of open files, minus 64 or an eighth | maximum number of simultaneous connections |
    /// | `WORKER_MAX_PENDING_CONNECTIONS` | half of the connections, at least 16 | maximum number of connections whose client has not sent `connect`; the oldest is closed for a new one |
    /// | `WORKER_MAX_PENDING_PER_ADDRESS` | half of the pending connections, at least 16 | the same for one client address, or one IPv6 network (/64) |
    /// | `WORKER_REQUEST_TIMEOUT` | `10` | time in seconds within which a connection must open its WebSocket, or read the answer to another request |
    /// | `WORKER_CONNECT_TIMEOUT` | `10` | time in seconds within which a client must send `connect` |
    /// | `WORKER_AUTH_TIMEOUT` | `10` | time in seconds within which the authenticator must answer |
    /// | `WORKER_AUTH_GRACE` | `30` | time in seconds after which a connection is closed whose identity has expired, unless its client sends another `connect` |
    /// | `WORKER_PING_INTERVAL` | `25` | interval between the server's pings, in seconds |
    /// | `WORKER_PONG_TIMEOUT` | `10` | time in seconds within which a ping must be answered, plus one second for each KiB that was sent since the last answer |
    /// | `WORKER_STALL_TIMEOUT` | `30` | time in seconds for which a client may read nothing, or less than 1 KiB/s on average |
    ///
    /// The options of an agent are overridden by variables that contain its name in upper case, with `_` for each other
    /// character than letters and digits. For the agent `front-desk`:
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `WORKER_AGENT_FRONT_DESK_TIMEOUT` | maximum duration of each attempt, in seconds; `none` for no limit |
    /// | `WORKER_AGENT_FRONT_DESK_RETRY` | how often a turn is retried, at most 100 times |
    /// | `WORKER_AGENT_FRONT_DESK_ON_BUSY` | the treatment of a message that arrives while its thread is being answered: `queue`, `reject`, `interrupt` or `concurrent` |
    /// | `WORKER_AGENT_FRONT_DESK_QUEUE` | number of messages that can wait in a thread, from 1 to 10,000 |
    /// | `WORKER_AGENT_FRONT_DESK_PRIVATE_THREADS` | whether a thread of the agent is visible only to users who have written in it: `true` or `false`. It takes precedence over `WORKER_PRIVATE_THREADS` too |
    ///
    /// They take precedence over the attribute of the agent and over
    /// [`WorkerServer::agent_with`](crate::WorkerServer::agent_with). A server does not start if a value is not allowed. The
    /// name of a variable that belongs to no served agent is logged. Agents whose names differ only in case or in other
    /// characters than letters and digits share their variables.
    ///
    /// PostgreSQL values that are not set are read from `PGHOST`, `PGUSER` and so on; see
    /// [`PostgresOptions`](crate::store::PostgresOptions).
    ///
    /// An empty variable counts as not set. A value of white space is an error.
    ///
    /// A misspelled variable would have no effect. If a variable begins with `WORKER_ALLOW_`, `WORKER_ALLOWED_`,
    /// `WORKER_AUTH_`, `WORKER_DATABASE_SSL_`, `WORKER_JWT_`, `WORKER_MAX_`, `WORKER_QUOTA_`, `WORKER_TOKENS_`,
    /// `WORKER_TRUSTED_` or `WORKER_USAGE_LIMIT_`, and is not in the table, it is an error. So is a name that differs in one or
    /// two characters from such a variable or from `WORKER_DATABASE_SSL`, `WORKER_PRIVATE_THREADS`, `WORKER_QUOTAS` or
    /// `WORKER_SECRET_KEY`. A name that resembles another variable of the table is logged when the server starts. Any other
    /// name belongs to the program, and so do names such as `WORKER_AUTH_SERVICE_HOST`, which Kubernetes sets for a service.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a value that is not allowed. It names the variable and the allowed values.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            agent_variables: AgentVariables::of(std::env::vars_os()),
            misspelled: MisspelledVariables::check(std::env::vars_os())?,
            ..Self::from_variables(|name| std::env::var_os(name))?
        })
    }

    fn from_variables(variables: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let env = Environment::new(&variables);
        let mut config = Self {
            database: env.database()?,
            database_is_chosen: env.is_set("WORKER_DATABASE_TYPE"),
            ..Self::default()
        };
        env.address("WORKER_BIND", &mut config.bind)?;
        env.broker(&mut config.broker)?;
        env.list("WORKER_ALLOWED_ORIGINS", &mut config.allowed_origins)?;
        env.list("WORKER_ALLOWED_HOSTS", &mut config.allowed_hosts)?;
        env.boolean("WORKER_ALLOW_OPEN", &mut config.allow_open)?;
        env.list("WORKER_TRUSTED_PROXIES", &mut config.trusted_proxies)?;
        #[cfg(feature = "playground")]
        env.boolean(PLAYGROUND, &mut config.playground)?;
        #[cfg(not(feature = "playground"))]
        env.no_playground()?;
        if let Some(authenticator) = authenticator(&env)? {
            config.authenticator = authenticator;
            config.authenticator_is_by_variable = true;
        }
        env.text("WORKER_ASSISTANT_NAME", &mut config.assistant_name)?;
        env.boolean("WORKER_PRIVATE_THREADS", &mut config.private_threads)?;
        env.secret("WORKER_SECRET_KEY", &mut config.secret_keys)?;
        env.seconds("WORKER_DRAIN_TIMEOUT", 0.0, &mut config.drain_timeout)?;
        env.seconds("WORKER_DRAIN_DELAY", 0.0, &mut config.drain_delay)?;
        env.seconds("WORKER_LEASE", 0.1, &mut config.lease)?;
        env.days(
            "WORKER_SENT_ID_RETENTION_DAYS",
            &mut config.sent_id_retention,
        )?;
        let mut is_on = true;
        env.boolean("WORKER_ANALYTICS", &mut is_on)?;
        let mut disabled = AnalyticsEvents::default();
        env.list("WORKER_ANALYTICS_DISABLED_EVENTS", &mut disabled)?;
        config = config.analytics(is_on).disabled_analytics_events(disabled);
        #[cfg(feature = "webhook")]
        env.webhook(&mut config.webhook)?;
        #[cfg(not(feature = "webhook"))]
        env.no_webhook()?;
        config.quotas = quotas(&env)?;
        config.usage_limits = usage_limits(&env)?;
        let limits = &mut config.limits;
        env.size("WORKER_MAX_FRAME_BYTES", 1024, &mut limits.frame_bytes)?;
        env.size("WORKER_MAX_ANSWER_BYTES", 1024, &mut limits.answer_bytes)?;
        env.size(
            "WORKER_MAX_OUTBOUND_BYTES",
            1024,
            &mut limits.outbound_bytes,
        )?;
        env.size(
            "WORKER_MAX_OUTBOUND_TOTAL",
            1024,
            &mut limits.outbound_total,
        )?;
        env.size("WORKER_MAX_OUTBOUND_FRAMES", 1, &mut limits.outbound_frames)?;
        env.limit("WORKER_MAX_CONNECTIONS", &mut limits.connections)?;
        env.limit(
            "WORKER_MAX_PENDING_CONNECTIONS",
            &mut limits.pending_connections,
        )?;
        env.limit(
            "WORKER_MAX_PENDING_PER_ADDRESS",
            &mut limits.pending_per_address,
        )?;
        env.seconds("WORKER_REQUEST_TIMEOUT", 0.001, &mut limits.request_timeout)?;
        env.seconds("WORKER_CONNECT_TIMEOUT", 0.001, &mut limits.connect_timeout)?;
        env.seconds("WORKER_AUTH_TIMEOUT", 0.001, &mut limits.auth_timeout)?;
        env.seconds("WORKER_AUTH_GRACE", 0.0, &mut limits.auth_grace)?;
        env.seconds("WORKER_PING_INTERVAL", 0.001, &mut limits.ping_interval)?;
        env.seconds("WORKER_PONG_TIMEOUT", 0.001, &mut limits.pong_timeout)?;
        env.seconds("WORKER_STALL_TIMEOUT", 0.001, &mut limits.stall_timeout)?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::super::database::Database;
    use super::*;
    use std::time::Duration;

    #[test]
    fn variables_turn_analytics_events_off() {
        let of = |name: &'static str, value: &'static str| {
            let set = move |asked: &str| (asked == name).then(|| value.into());
            WorkerConfig::from_variables(set).map(|config| config.analytics)
        };
        let some = of("WORKER_ANALYTICS_DISABLED_EVENTS", "tool.called, a").unwrap();
        assert!(!some.allows("tool.called") && !some.allows("a") && some.allows("run.finished"));
        assert!(
            !of("WORKER_ANALYTICS", "off")
                .unwrap()
                .allows("run.finished")
        );
        assert!(of("WORKER_ANALYTICS", "").unwrap().allows("run.finished"));
        assert!(of("WORKER_ANALYTICS", "maybe").is_err());
    }

    fn with(name: &'static str, value: &'static str) -> Result<WorkerConfig, ConfigError> {
        WorkerConfig::from_variables(|variable| (variable == name).then(|| value.into()))
    }

    #[test]
    fn database_is_chosen_by_program_or_variable() {
        assert!(
            !WorkerConfig::from_variables(|_| None)
                .unwrap()
                .database_is_chosen
        );
        assert!(!with("WORKER_DATABASE_TYPE", "").unwrap().database_is_chosen);
        assert!(
            with("WORKER_DATABASE_TYPE", "memory")
                .unwrap()
                .database_is_chosen
        );
        let by_program = WorkerConfig::new().database(Database::Memory);
        assert!(by_program.database_is_chosen);
    }

    #[test]
    fn without_variables_the_defaults_hold() {
        let config = WorkerConfig::from_variables(|_| None).unwrap();
        assert_eq!(format!("{config:?}"), format!("{:?}", WorkerConfig::new()));
    }

    #[test]
    fn lists_of_origins_and_hosts_are_read() {
        let config = with("WORKER_ALLOWED_ORIGINS", "https://a.example,*").unwrap();
        assert_eq!(
            config.allowed_origins,
            "*,https://a.example".parse().unwrap()
        );
        let config = with("WORKER_ALLOWED_HOSTS", "a.example, b").unwrap();
        assert_eq!(config.allowed_hosts, "a.example,b".parse().unwrap());
        let config = with("WORKER_TRUSTED_PROXIES", "10.0.0.5, fd00::/8").unwrap();
        assert_eq!(config.trusted_proxies, "10.0.0.5,fd00::/8".parse().unwrap());
        let error = with("WORKER_TRUSTED_PROXIES", "0.0.0.0/0").unwrap_err();
        let text = error.to_string();
        assert!(text.contains("claim any address"), "{text}");
        let error = with("WORKER_ALLOWED_ORIGINS", "https://a.example, b").unwrap_err();
        assert_eq!(
            error.to_string(),
            "WORKER_ALLOWED_ORIGINS is `https://a.example, b`; `b` is not an origin; write scheme, host and, unless it \
             is the default of the scheme, port, such as https://chat.example.com:8443"
        );
    }

    #[cfg(feature = "playground")]
    #[test]
    fn playground_overrides_the_kind_of_address() {
        for (value, expected) in [
            ("", [true, false]),
            ("on", [true, true]),
            (" TRUE ", [true, true]),
            ("off", [false, false]),
            ("0", [false, false]),
        ] {
            let config = with("WORKER_PLAYGROUND", value).unwrap();
            let served = [true, false].map(|is_loopback| config.has_playground(is_loopback));
            assert_eq!(served, expected, "{value:?}");
        }
        let error = with("WORKER_PLAYGROUND", "maybe").unwrap_err();
        assert_eq!(
            error.to_string(),
            "WORKER_PLAYGROUND is `maybe`; it must be one of true, false, 1, 0, yes, no, on, off"
        );
    }

    #[test]
    fn secret_keys_are_read_and_never_shown() {
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let config = with("WORKER_SECRET_KEY", key).unwrap();
        assert!(config.secret_keys.is_some());
        assert!(!format!("{config:?}").contains("AAEC"));
        let error = with("WORKER_SECRET_KEY", "AAECAwQFBgcICQoLDA0ODw==").unwrap_err();
        assert_eq!(
            error.to_string(),
            "WORKER_SECRET_KEY is `…`; key 1 of the list is not 32 bytes in base64; make one with `openssl rand \
             -base64 32`, and separate several by commas, the one that seals first"
        );
    }

    #[test]
    fn each_variable_sets_its_value() {
        for address in ["0.0.0.0:80", " localhost:8000 "] {
            let bind = with("WORKER_BIND", address).unwrap().bind;
            assert_eq!(bind.as_str(), address.trim());
        }
        assert_eq!(
            with("WORKER_ASSISTANT_NAME", "Ada").unwrap().assistant_name,
            "Ada"
        );
        for (text, value) in [
            ("true", true),
            ("1", true),
            ("YES", true),
            ("on", true),
            ("off", false),
            ("0", false),
        ] {
            assert_eq!(
                with("WORKER_PRIVATE_THREADS", text)
                    .unwrap()
                    .private_threads,
                value
            );
        }
        assert_eq!(
            with("WORKER_DRAIN_TIMEOUT", "0").unwrap().drain_timeout,
            Duration::ZERO
        );
        assert_eq!(
            with("WORKER_DRAIN_DELAY", "2.5").unwrap().drain_delay,
            Duration::from_millis(2500)
        );
        assert_eq!(
            with("WORKER_SENT_ID_RETENTION_DAYS", "0.5")
                .unwrap()
                .sent_id_retention,
            Duration::from_secs(12 * 3600)
        );
        let limits = |name, value| with(name, value).unwrap().limits;
        assert_eq!(limits("WORKER_MAX_FRAME_BYTES", "4096").frame_bytes, 4096);
        assert_eq!(limits("WORKER_MAX_ANSWER_BYTES", "4096").answer_bytes, 4096);
        assert_eq!(
            limits("WORKER_MAX_OUTBOUND_BYTES", "4096").outbound_bytes,
            4096
        );
        assert_eq!(
            limits("WORKER_MAX_OUTBOUND_TOTAL", "4096").outbound_total,
            4096
        );
        assert_eq!(limits("WORKER_MAX_OUTBOUND_FRAMES", "7").outbound_frames, 7);
        assert_eq!(limits("WORKER_MAX_CONNECTIONS", "7").connections, Some(7));
        let pending = limits("WORKER_MAX_PENDING_CONNECTIONS", "7");
        assert_eq!(pending.pending_connections, Some(7));
        let pending = limits("WORKER_MAX_PENDING_PER_ADDRESS", "7");
        assert_eq!(pending.pending_per_address, Some(7));
        let seconds = Duration::from_millis(1500);
        assert_eq!(
            limits("WORKER_REQUEST_TIMEOUT", "1.5").request_timeout,
            seconds
        );
        assert_eq!(
            limits("WORKER_CONNECT_TIMEOUT", "1.5").connect_timeout,
            seconds
        );
        assert_eq!(limits("WORKER_PING_INTERVAL", "1.5").ping_interval, seconds);
        assert_eq!(limits("WORKER_PONG_TIMEOUT", "1.5").pong_timeout, seconds);
        assert_eq!(limits("WORKER_STALL_TIMEOUT", "1.5").stall_timeout, seconds);
    }

    #[test]
    fn a_bad_value_names_its_variable_and_what_is_allowed() {
        let message = |name, value| with(name, value).unwrap_err().to_string();
        assert_eq!(
            message("WORKER_BIND", "8000"),
            "WORKER_BIND is `8000`; it must be an address or a name with a port, such as 127.0.0.1:8000, [::1]:8000 or localhost:8000"
        );
        assert_eq!(
            message("WORKER_PRIVATE_THREADS", "maybe"),
            "WORKER_PRIVATE_THREADS is `maybe`; it must be one of true, false, 1, 0, yes, no, on, off"
        );
        assert_eq!(
            message("WORKER_MAX_FRAME_BYTES", "12"),
            "WORKER_MAX_FRAME_BYTES is `12`; it must be a whole number of at least 1024"
        );
        assert_eq!(
            message("WORKER_PING_INTERVAL", "0"),
            "WORKER_PING_INTERVAL is `0`; it must be a number of seconds from 0.001 to 86400"
        );
        assert_eq!(
            message("WORKER_SENT_ID_RETENTION_DAYS", "-1"),
            "WORKER_SENT_ID_RETENTION_DAYS is `-1`; it must be a number of days from 0 to 3650"
        );
        assert_eq!(
            message("WORKER_STALL_TIMEOUT", "NaN"),
            "WORKER_STALL_TIMEOUT is `NaN`; it must be a number of seconds from 0.001 to 86400"
        );
    }
}
