//! Options for opening a PostgreSQL store.

use super::conn_params::Target;
use super::ssl::SslMode;
use super::url::{self, InvalidPostgresUrl};
use crate::store::TablePrefix;
use sqlx::postgres::PgConnectOptions;
use std::str::FromStr;
use std::time::Duration;

/// Options for opening a PostgreSQL store.
///
/// Server, database and user are set one by one or by a URL. Values that are not set are read from `PGHOST`, `PGPORT`,
/// `PGUSER`, `PGPASSWORD`, `PGDATABASE`, `PGSSLMODE` and so on. Otherwise the defaults are those of `psql`: this
/// machine, the name of the system's user, and a database of the same name.
///
/// ```
/// use dooers::store::PostgresOptions;
///
/// let by_parts = PostgresOptions::new().host("db.example.com").user("ada").database("dooers").password("secret");
/// let by_url = PostgresOptions::from_url("postgres://ada:secret@db.example.com/dooers?sslmode=verify-full")?;
/// assert!(!format!("{by_parts:?} {by_url:?}").contains("secret"));
/// # Ok::<(), dooers::store::InvalidPostgresUrl>(())
/// ```
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    server: Target,
    /// The server without a pooler. Its values take precedence over those of `server`.
    direct: Target,
    statement_cache: usize,
    statement_timeout: Duration,
    migration_timeout: Duration,
    pub(crate) pool_size: u32,
    pub(crate) table_prefix: TablePrefix,
    pub(crate) auto_migrate: bool,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            server: Target::default(),
            direct: Target::default(),
            statement_cache: 100,
            statement_timeout: Duration::from_secs(30),
            migration_timeout: Duration::from_secs(3600),
            pool_size: 10,
            table_prefix: TablePrefix::default(),
            auto_migrate: true,
        }
    }
}

impl PostgresOptions {
    /// Options for the database that `psql` connects to without arguments.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Options for the database of a URL, such as `postgres://user:password@host:5432/database?sslmode=verify-full`.
    ///
    /// The parameters after the `?` are `host` (also a directory, as for Cloud SQL), `hostaddr`, `port`, `user`,
    /// `password`, `dbname`, `sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `application_name` and `connect_timeout`.
    /// They have the same meaning as for PostgreSQL's own programs.
    ///
    /// # Errors
    ///
    /// [`InvalidPostgresUrl`] for another text, and for any other parameter, because an ignored parameter could be one
    /// that the connection's security depends on.
    pub fn from_url(url: &str) -> Result<Self, InvalidPostgresUrl> {
        Self::new().url(url)
    }

    /// Sets the values that a URL contains, as [`from_url`](PostgresOptions::from_url), and leaves the others
    /// unchanged.
    ///
    /// # Errors
    ///
    /// As [`from_url`](PostgresOptions::from_url).
    pub fn url(mut self, url: &str) -> Result<Self, InvalidPostgresUrl> {
        self.server = url::parse(url)?.over(&self.server);
        Ok(self)
    }

    /// Sets the name or address of the server, or the directory of its Unix socket, such as `/var/run/postgresql` or
    /// `/cloudsql/project:region:instance`.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.server.host = Some(host.into());
        self
    }

    /// Sets the server's port, which is also part of the name of a Unix socket. Default: 5432.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.server.port = Some(port);
        self
    }

    /// Sets the user.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.server.user = Some(user.into());
        self
    }

    /// Sets the user's password.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.server.password = Some(password.into());
        self
    }

    /// Sets the name of the database.
    #[must_use]
    pub fn database(mut self, database: impl Into<String>) -> Self {
        self.server.database = Some(database.into());
        self
    }

    /// Sets whether connections are encrypted, and how the server must prove its identity. Default:
    /// [`SslMode::VerifyFull`] with a root certificate, and [`SslMode::Prefer`] without one.
    ///
    /// Connections over a Unix socket are never encrypted.
    #[must_use]
    pub fn ssl_mode(mut self, mode: SslMode) -> Self {
        self.server.ssl_mode = Some(mode);
        self
    }

    /// Sets the certificates of authorities that are trusted in addition to the public ones: the path of a file, or its
    /// text in PEM. `system` means the public authorities alone, with [`SslMode::VerifyFull`].
    #[must_use]
    pub fn ssl_root_cert(mut self, cert: impl Into<String>) -> Self {
        self.server.ssl_root_cert = Some(cert.into());
        self
    }

    /// Sets the certificate that proves the user's identity: the path of a file, or its text in PEM. It requires its
    /// [key](PostgresOptions::ssl_client_key).
    #[must_use]
    pub fn ssl_client_cert(mut self, cert: impl Into<String>) -> Self {
        self.server.ssl_client_cert = Some(cert.into());
        self
    }

    /// Sets the key of the [certificate](PostgresOptions::ssl_client_cert): the path of a file, or its text in PEM. The
    /// key must not be encrypted.
    #[must_use]
    pub fn ssl_client_key(mut self, key: impl Into<String>) -> Self {
        self.server.ssl_client_key = Some(key.into());
        self
    }

    /// Sets the name under which the server's views list the connections. Default: `dooers`.
    #[must_use]
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.server.application_name = Some(name.into());
        self
    }

    /// Sets the number of connections that read, at least 1. Default: 10. Writing uses its own connection, and so do
    /// notifications between processes.
    #[must_use]
    pub fn pool_size(mut self, connections: u32) -> Self {
        self.pool_size = connections.max(1);
        self
    }

    /// Sets how long to keep trying to reach the database when the store is opened, and whenever the connection is
    /// lost. Default: 10 seconds.
    #[must_use]
    pub fn connect_timeout(mut self, at_most: Duration) -> Self {
        self.server.connect_timeout = Some(at_most);
        self
    }

    /// Sets the longest time that a statement may take. Default: 30 seconds.
    ///
    /// The server cancels a statement that takes longer. If the server does not answer at all, the connection is dropped
    /// half a second later. Either way, the caller gets [`StoreError::Unavailable`](crate::store::StoreError::Unavailable),
    /// which clients see as `OVERLOADED`.
    ///
    /// ```
    /// use dooers::store::PostgresOptions;
    /// use std::time::Duration;
    ///
    /// // Detects a silent server sooner, for example during a failover.
    /// let options = PostgresOptions::new().statement_timeout(Duration::from_secs(5));
    /// # let _ = options;
    /// ```
    #[must_use]
    pub fn statement_timeout(mut self, at_most: Duration) -> Self {
        self.statement_timeout = at_most;
        self
    }

    /// Sets the longest time that all migrations together may take when the store is opened, including the wait for
    /// another process that migrates the same tables. Default: 1 hour. A migration that takes longer changes nothing.
    #[must_use]
    pub fn migration_timeout(mut self, at_most: Duration) -> Self {
        self.migration_timeout = at_most;
        self
    }

    /// Sets how many prepared statements each connection keeps. Default: 100. Set 0 for a pooler in transaction mode,
    /// which requires connections without prepared statements.
    #[must_use]
    pub fn statement_cache(mut self, statements: usize) -> Self {
        self.statement_cache = statements;
        self
    }

    /// Sets the URL of the same database without a pooler, which is used for migrations and for notifications between
    /// processes. Values that the URL does not
    /// contain are those of the other connections.
    ///
    /// # Errors
    ///
    /// As [`from_url`](PostgresOptions::from_url).
    pub fn direct_url(mut self, url: &str) -> Result<Self, InvalidPostgresUrl> {
        self.direct = url::parse(url)?;
        Ok(self)
    }

    /// Sets the prefix of the table names. Default: `worker_`.
    #[must_use]
    pub fn table_prefix(mut self, table_prefix: TablePrefix) -> Self {
        self.table_prefix = table_prefix;
        self
    }

    /// Sets whether missing tables are created and old ones are updated. Default: `true`. If `false`, opening a
    /// database that needs this is an error.
    #[must_use]
    pub fn auto_migrate(mut self, auto_migrate: bool) -> Self {
        self.auto_migrate = auto_migrate;
        self
    }

    /// Returns the options for connections that read and write.
    pub(crate) fn connect_options(&self) -> PgConnectOptions {
        self.server
            .connect_options()
            .statement_cache_capacity(self.statement_cache)
    }

    /// Returns the options for connections that must not go through a pooler.
    pub(crate) fn direct_options(&self) -> PgConnectOptions {
        self.direct.clone().over(&self.server).connect_options()
    }

    /// Returns `true` if a connection can bypass the pooler, or if there is no pooler.
    pub(crate) fn bypasses_pooler(&self) -> bool {
        !self.is_pooled() || self.direct != Target::default()
    }

    /// Checks that the values for a connection are complete. The error contains the reason and the way out.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.server.check()?;
        self.direct.clone().over(&self.server).check()
    }

    /// Returns how long to keep trying to reach the database.
    pub(crate) fn connect_limit(&self) -> Duration {
        let timeout = self.server.connect_timeout;
        timeout.map_or(Duration::from_secs(10), bounded)
    }

    /// Returns the longest time that a statement may take.
    pub(crate) fn longest_statement(&self) -> Duration {
        bounded(self.statement_timeout)
    }

    /// Returns the longest time that all migrations may take.
    pub(crate) fn longest_migration(&self) -> Duration {
        bounded(self.migration_timeout)
    }

    /// Returns `true` if connections may go through a pooler in transaction mode, which keeps neither prepared
    /// statements nor settings from one transaction to the next.
    ///
    /// Each query must then be `persistent(false)`, because sqlx names statements even if it does not cache them. It
    /// must also be in a transaction, because sqlx sends a Sync between preparing a statement and executing it, and the
    /// pooler may change the server connection there.
    pub(crate) fn is_pooled(&self) -> bool {
        self.statement_cache == 0
    }
}

/// Limits a time to what PostgreSQL accepts: whole milliseconds in 32 bits. Zero would mean no limit.
fn bounded(time: Duration) -> Duration {
    time.clamp(
        Duration::from_millis(1),
        Duration::from_millis(i32::MAX as u64),
    )
}

impl FromStr for PostgresOptions {
    type Err = InvalidPostgresUrl;

    fn from_str(url: &str) -> Result<Self, InvalidPostgresUrl> {
        Self::from_url(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_keeps_other_options_for_both_connections() {
        let options = PostgresOptions::new()
            .port(6543)
            .password("hunter2")
            .user("grace")
            .url("postgres://ada@pooler/dooers")
            .unwrap()
            .direct_url("postgres://db:5432")
            .unwrap()
            .statement_cache(0);
        let pooled = options.connect_options();
        assert_eq!(pooled.get_host(), "pooler");
        assert_eq!(pooled.get_port(), 6543);
        assert_eq!(pooled.get_username(), "ada");
        assert_eq!(pooled.get_database(), Some("dooers"));
        assert!(options.is_pooled() && options.bypasses_pooler());
        let direct = options.direct_options();
        assert_eq!(direct.get_host(), "db");
        assert_eq!(direct.get_port(), 5432);
        assert_eq!(direct.get_username(), "ada");
        assert_eq!(direct.get_database(), Some("dooers"));
    }

    #[test]
    fn pooler_without_a_direct_url_is_not_bypassed() {
        let pooled = PostgresOptions::new().statement_cache(0);
        assert!(!pooled.bypasses_pooler());
        assert!(PostgresOptions::new().bypasses_pooler());
    }

    #[test]
    fn debug_never_shows_a_password() {
        let options = PostgresOptions::new()
            .password("hunter2")
            .direct_url("postgres://ada:hunter3@db/?sslkey=-----BEGIN%20hunter4")
            .unwrap();
        let shown = format!("{options:?}");
        assert!(!shown.contains("hunter"), "{shown}");
        assert!(shown.contains("ada"), "{shown}");
    }

    #[test]
    fn limits_of_any_length_are_limits_of_the_server() {
        for (given, taken) in [(Duration::ZERO, 1), (Duration::MAX, 2_147_483_647)] {
            let options = PostgresOptions::new()
                .connect_timeout(given)
                .statement_timeout(given)
                .migration_timeout(given);
            let limits = [
                options.connect_limit(),
                options.longest_statement(),
                options.longest_migration(),
            ];
            assert_eq!(limits, [Duration::from_millis(taken); 3]);
        }
    }

    #[test]
    fn timeout_defaults_to_ten_seconds() {
        let seconds = |options: PostgresOptions| options.connect_limit().as_secs();
        assert_eq!(seconds(PostgresOptions::new()), 10);
        let by_url = PostgresOptions::from_url("postgres://db?connect_timeout=3").unwrap();
        assert_eq!(seconds(by_url.clone()), 3);
        let by_both = by_url.connect_timeout(Duration::from_secs(4));
        assert_eq!(seconds(by_both), 4);
    }
}
