//! Where a PostgreSQL store is, and how it is opened.

use super::ssl::SslMode;
use super::target::Target;
use super::url::{self, NotAPostgresUrl};
use crate::store::TablePrefix;
use sqlx::postgres::PgConnectOptions;
use std::str::FromStr;
use std::time::Duration;

/// Where a PostgreSQL store is, and how it is opened.
///
/// Server, database and user are set one by one or by a URL. Values that are not set are read from `PGHOST`, `PGPORT`,
/// `PGUSER`, `PGPASSWORD`, `PGDATABASE`, `PGSSLMODE` and so on. Otherwise they are those of `psql`: this machine, the name of
/// the system's user, and a database of the same name.
///
/// ```
/// use dooers::store::PostgresOptions;
///
/// let by_parts = PostgresOptions::new().host("db.example.com").user("ada").database("dooers").password("secret");
/// let by_url = PostgresOptions::from_url("postgres://ada:secret@db.example.com/dooers?sslmode=verify-full")?;
/// assert!(!format!("{by_parts:?} {by_url:?}").contains("secret"));
/// # Ok::<(), dooers::store::NotAPostgresUrl>(())
/// ```
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    server: Target,
    /// Past a pooler: what it says is over `server`.
    direct: Target,
    statement_cache: usize,
    statement_timeout: Duration,
    migration_timeout: Duration,
    pub(super) pool_size: u32,
    pub(super) table_prefix: TablePrefix,
    pub(super) auto_migrate: bool,
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
    /// The database that `psql` would connect to without an argument.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The database of a URL, such as `postgres://user:password@host:5432/database?sslmode=verify-full`.
    ///
    /// Behind the `?` may stand `host` (also a directory, as for Cloud SQL), `hostaddr`, `port`, `user`, `password`,
    /// `dbname`, `sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `application_name` and `connect_timeout`, with the meaning
    /// that they have for PostgreSQL's own programs.
    ///
    /// # Errors
    ///
    /// [`NotAPostgresUrl`] for another text, and for a parameter that is not among these: one that is passed over may be
    /// the one on which safety depends.
    pub fn from_url(url: &str) -> Result<Self, NotAPostgresUrl> {
        Self::new().url(url)
    }

    /// Takes from a URL what it says, as [`from_url`](PostgresOptions::from_url), and leaves the rest as it is.
    ///
    /// # Errors
    ///
    /// As [`from_url`](PostgresOptions::from_url).
    pub fn url(mut self, url: &str) -> Result<Self, NotAPostgresUrl> {
        self.server = url::parse(url)?.over(&self.server);
        Ok(self)
    }

    /// The name or address of the server, or the directory of its Unix socket, such as `/var/run/postgresql` or
    /// `/cloudsql/project:region:instance`.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.server.host = Some(host.into());
        self
    }

    /// The server's port; 5432 unless told. It belongs to the name of a Unix socket, too.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.server.port = Some(port);
        self
    }

    /// The user as whom to connect.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.server.user = Some(user.into());
        self
    }

    /// The user's password.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.server.password = Some(password.into());
        self
    }

    /// The name of the database.
    #[must_use]
    pub fn database(mut self, database: impl Into<String>) -> Self {
        self.server.database = Some(database.into());
        self
    }

    /// Whether connections are encrypted, and how the server proves who it is. Unless told: [`SslMode::VerifyFull`] with a
    /// root certificate, and [`SslMode::Prefer`] without.
    ///
    /// A Unix socket is never encrypted.
    #[must_use]
    pub fn ssl_mode(mut self, mode: SslMode) -> Self {
        self.server.ssl_mode = Some(mode);
        self
    }

    /// The certificates of the authorities that are trusted beside the public ones: the path of a file, or its text in
    /// PEM. `system` stands for the public ones alone, and for [`SslMode::VerifyFull`].
    #[must_use]
    pub fn ssl_root_cert(mut self, cert: impl Into<String>) -> Self {
        self.server.ssl_root_cert = Some(cert.into());
        self
    }

    /// The certificate by which the user proves who he is: the path of a file, or its text in PEM. It needs its
    /// [key](PostgresOptions::ssl_client_key).
    #[must_use]
    pub fn ssl_client_cert(mut self, cert: impl Into<String>) -> Self {
        self.server.ssl_client_cert = Some(cert.into());
        self
    }

    /// The key of the [certificate](PostgresOptions::ssl_client_cert), without a password of its own: the path of a file,
    /// or its text in PEM.
    #[must_use]
    pub fn ssl_client_key(mut self, key: impl Into<String>) -> Self {
        self.server.ssl_client_key = Some(key.into());
        self
    }

    /// By which name the server's own views list the connections; `dooers` unless told.
    #[must_use]
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.server.application_name = Some(name.into());
        self
    }

    /// How many connections read; 10 unless told, and at least 1. Writing has connections of its own.
    #[must_use]
    pub fn pool_size(mut self, connections: u32) -> Self {
        self.pool_size = connections.max(1);
        self
    }

    /// How long to try to reach the database, when the store is opened and whenever the connection was lost; 10 seconds
    /// unless told.
    #[must_use]
    pub fn connect_timeout(mut self, at_most: Duration) -> Self {
        self.server.connect_timeout = Some(at_most);
        self
    }

    /// The longest time that a statement may take. Default: 30 seconds.
    ///
    /// The server cancels a statement that takes longer. If the server does not answer at all, the connection is dropped
    /// half a second later. Either way, the caller gets [`StoreError::Unavailable`](crate::store::StoreError::Unavailable),
    /// which clients see as `OVERLOADED`.
    ///
    /// ```
    /// use dooers::store::PostgresOptions;
    /// use std::time::Duration;
    ///
    /// // Notices sooner that the server is silent, for example while another one takes over.
    /// let options = PostgresOptions::new().statement_timeout(Duration::from_secs(5));
    /// # let _ = options;
    /// ```
    #[must_use]
    pub fn statement_timeout(mut self, at_most: Duration) -> Self {
        self.statement_timeout = at_most;
        self
    }

    /// The longest time that all migrations together may take when the store is opened, including the wait for another
    /// process that migrates the same tables. Default: 1 hour. A migration that takes longer changes nothing.
    #[must_use]
    pub fn migration_timeout(mut self, at_most: Duration) -> Self {
        self.migration_timeout = at_most;
        self
    }

    /// How many prepared statements each connection keeps; 100 unless told. With 0 it keeps none, which a pooler
    /// needs that lends its connections out for one transaction at a time.
    #[must_use]
    pub fn statement_cache(mut self, statements: usize) -> Self {
        self.statement_cache = statements;
        self
    }

    /// Another way to the same database, which leads past a pooler: for migrations, and for what waits for
    /// notifications. What the URL leaves open is as for the other connections.
    ///
    /// # Errors
    ///
    /// As [`from_url`](PostgresOptions::from_url).
    pub fn direct_url(mut self, url: &str) -> Result<Self, NotAPostgresUrl> {
        self.direct = url::parse(url)?;
        Ok(self)
    }

    /// What the names of the tables begin with; `worker_` unless told.
    #[must_use]
    pub fn table_prefix(mut self, table_prefix: TablePrefix) -> Self {
        self.table_prefix = table_prefix;
        self
    }

    /// Whether missing tables are made and old ones brought up to date, as happens unless told. If not, opening
    /// a database that needs it is an error.
    #[must_use]
    pub fn auto_migrate(mut self, auto_migrate: bool) -> Self {
        self.auto_migrate = auto_migrate;
        self
    }

    /// How the connections are made that read and write.
    pub(super) fn connect_options(&self) -> PgConnectOptions {
        self.server
            .connect_options()
            .statement_cache_capacity(self.statement_cache)
    }

    /// How the connections are made that must not go through a pooler.
    pub(super) fn direct_options(&self) -> PgConnectOptions {
        self.direct.clone().over(&self.server).connect_options()
    }

    /// Whether all that a connection needs is there. If not, the result says why, and what to do.
    pub(super) fn check(&self) -> Result<(), String> {
        self.server.check()?;
        self.direct.clone().over(&self.server).check()
    }

    /// How long to try to reach the database.
    pub(super) fn patience(&self) -> Duration {
        let timeout = self.server.connect_timeout;
        timeout.map_or(Duration::from_secs(10), bounded)
    }

    /// The longest time that a statement may take.
    pub(super) fn longest_statement(&self) -> Duration {
        bounded(self.statement_timeout)
    }

    /// The longest time that all migrations may take.
    pub(super) fn longest_migration(&self) -> Duration {
        bounded(self.migration_timeout)
    }

    /// Whether connections may be those of a transaction pooler, which keeps neither prepared statements nor
    /// settings from one transaction to the next.
    ///
    /// Then each query has to be `persistent(false)`, as sqlx names statements also where it caches none, and has to be in
    /// a transaction, as sqlx lets go of the connection (by a Sync) between preparing a statement and running it.
    pub(super) fn is_pooled(&self) -> bool {
        self.statement_cache == 0
    }
}

/// A time that PostgreSQL takes for a limit: whole milliseconds in 32 bits, where zero would be no limit.
fn bounded(time: Duration) -> Duration {
    time.clamp(
        Duration::from_millis(1),
        Duration::from_millis(i32::MAX as u64),
    )
}

impl FromStr for PostgresOptions {
    type Err = NotAPostgresUrl;

    fn from_str(url: &str) -> Result<Self, NotAPostgresUrl> {
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
        assert!(options.is_pooled());
        let direct = options.direct_options();
        assert_eq!(direct.get_host(), "db");
        assert_eq!(direct.get_port(), 5432);
        assert_eq!(direct.get_username(), "ada");
        assert_eq!(direct.get_database(), Some("dooers"));
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
                options.patience(),
                options.longest_statement(),
                options.longest_migration(),
            ];
            assert_eq!(limits, [Duration::from_millis(taken); 3]);
        }
    }

    #[test]
    fn timeout_defaults_to_ten_seconds() {
        let seconds = |options: PostgresOptions| options.patience().as_secs();
        assert_eq!(seconds(PostgresOptions::new()), 10);
        let by_url = PostgresOptions::from_url("postgres://db?connect_timeout=3").unwrap();
        assert_eq!(seconds(by_url.clone()), 3);
        let by_both = by_url.connect_timeout(Duration::from_secs(4));
        assert_eq!(seconds(by_both), 4);
    }
}
