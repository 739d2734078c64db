//! What a program decides about its server.

use super::database::Database;
use super::env::Environment;
use super::origin::{AllowedHosts, AllowedOrigins};
use crate::settings::{Keyring, Secret, Variables};
use crate::store::Store;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What a program decides about its server. Every value has a default.
///
/// ```
/// use dooers::WorkerConfig;
///
/// let config = WorkerConfig::new().bind(([127, 0, 0, 1], 9000).into()).assistant_name("Ada");
/// ```
#[derive(Clone)]
pub struct WorkerConfig {
    pub(crate) bind: SocketAddr,
    pub(crate) assistant_name: String,
    pub(crate) private_threads: bool,
    pub(crate) drain_timeout: Duration,
    pub(crate) lease: Duration,
    pub(crate) sent_id_retention: Duration,
    pub(crate) limits: Limits,
    pub(crate) allowed_origins: AllowedOrigins,
    pub(crate) allowed_hosts: AllowedHosts,
    pub(crate) database: Database,
    pub(crate) secret_keys: Option<Keyring>,
    pub(crate) secret_variables: Variables,
}

/// The limits of connections.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// The largest frame that a client may send, in bytes. 256 KiB by default.
    pub frame_bytes: usize,
    /// The largest answer that a client may ask for, in bytes of its events, or of its threads. 512 KiB by default. A page
    /// or a snapshot ends in front of what would exceed it, and says that there is more. One event alone may be larger.
    pub answer_bytes: usize,
    /// How many bytes may wait for one connection. 1 MiB by default.
    pub outbound_bytes: usize,
    /// The largest number of bytes that may wait for all connections together. 64 MiB by default. A frame counts for each connection that it
    /// waits for. Above the limit the server begins with no request, live frames wait in the store for connections for which a
    /// sixteenth of `outbound_bytes` waits already, and connections whose frames have waited for the
    /// [`stall_timeout`](Self::stall_timeout) are closed.
    pub outbound_total: usize,
    /// How many frames may wait for one connection. 2,048 by default.
    pub outbound_frames: usize,
    /// The largest number of connections at the same time. `None`, the default, is as many as the process may have open
    /// files, minus 64 or an eighth of these, whichever is more, for the store and for what handlers open. Above the limit
    /// a connection is answered with the status 503. A program that serves [`router`](crate::WorkerServer::router) by itself
    /// limits its connections itself.
    pub connections: Option<usize>,
    /// The time in which a connection must open its WebSocket, or send another request and read the answer. 10 s by
    /// default. A program that serves [`router`](crate::WorkerServer::router) by itself has time limits of its own.
    pub request_timeout: Duration,
    /// How soon a client must `connect`. 10 s by default.
    pub connect_timeout: Duration,
    /// How often the server asks whether a client is there. 25 s by default.
    pub ping_interval: Duration,
    /// How soon the client must answer. 10 s by default, and one second more for each KiB that was sent since its last
    /// answer, as it reads that first.
    pub pong_timeout: Duration,
    /// How long a client may read nothing while something waits for it. 30 s by default. A client that takes 1 KiB/s on
    /// average over this time is not too slow. The system shows that in steps of up to 68 KiB on Linux, and of its whole
    /// buffer elsewhere and in a [`router`](crate::WorkerServer::router).
    pub stall_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: 256 * 1024,
            answer_bytes: 512 * 1024,
            outbound_bytes: 1024 * 1024,
            outbound_total: 64 * 1024 * 1024,
            outbound_frames: 2048,
            connections: None,
            request_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(25),
            pong_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
        }
    }
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 8000)),
            assistant_name: "Assistant".to_owned(),
            private_threads: false,
            drain_timeout: Duration::from_secs(30),
            lease: Duration::from_secs(30),
            sent_id_retention: Duration::from_secs(7 * 24 * 3600),
            limits: Limits::default(),
            allowed_origins: AllowedOrigins::default(),
            allowed_hosts: AllowedHosts::default(),
            database: Database::default(),
            secret_keys: None,
            secret_variables: Variables::default(),
        }
    }
}

impl WorkerConfig {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the configuration from environment variables. Values that are not set have their defaults.
    ///
    /// | variable | default | meaning |
    /// |---|---|---|
    /// | `WORKER_DATABASE_TYPE` | `sqlite` | `sqlite`, `postgres`, or `memory`, which is gone when the process ends |
    /// | `WORKER_DATABASE_NAME` | `worker.db` | the path of the SQLite file; or the name of the PostgreSQL database, by default the user's |
    /// | `WORKER_DATABASE_TABLE_PREFIX` | `worker_` | prefix of the names of tables |
    /// | `WORKER_DATABASE_AUTO_MIGRATE` | `true` | creates and updates tables at start |
    /// | `DATABASE_URL` | | the PostgreSQL database: `postgres://user:password@host:5432/name?sslmode=verify-full`. It selects PostgreSQL and overrides all other variables of the database |
    /// | `WORKER_DATABASE_HOST` | this machine | PostgreSQL: the name or address of the server, or the directory of its Unix socket |
    /// | `WORKER_DATABASE_PORT` | `5432` | its port |
    /// | `WORKER_DATABASE_USER` | the system's user | the user to connect as |
    /// | `WORKER_DATABASE_PASSWORD` | | the user's password |
    /// | `WORKER_DATABASE_SSL` | `prefer` | how connections are encrypted: `true` (which is `verify-full`), `false`, `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`. With a root certificate the default is `verify-full` |
    /// | `WORKER_DATABASE_SSL_ROOT_CERT` | | the certificates of the authorities that are trusted beside the public ones: a path, or PEM |
    /// | `WORKER_DATABASE_SSL_CLIENT_CERT` | | the user's own certificate: a path, or PEM |
    /// | `WORKER_DATABASE_SSL_CLIENT_KEY` | | its key: a path, or PEM |
    /// | `WORKER_DATABASE_POOL_SIZE` | `10` | connections that read |
    /// | `WORKER_DATABASE_CONNECT_TIMEOUT` | `10` | how long to keep trying to reach the database, in seconds, at start and after it was lost |
    /// | `WORKER_DATABASE_STATEMENT_TIMEOUT` | `30` | the longest time, in seconds, that a statement may take. After that, requests are refused with `OVERLOADED`, also if the server does not answer at all |
    /// | `WORKER_DATABASE_MIGRATION_TIMEOUT` | `3600` | the longest time, in seconds, that all migrations together may take at start |
    /// | `WORKER_DATABASE_STATEMENT_CACHE` | `100` | prepared statements that a connection keeps; `0` for a pooler that lends connections for a transaction, such as PgBouncer |
    /// | `WORKER_DATABASE_DIRECT_URL` | | the address of the server itself, for migrations past the pooler. Values that are not in it are those of the other variables |
    /// | `WORKER_BIND` | `127.0.0.1:8000` | address and port to listen on |
    /// | `WORKER_ALLOWED_ORIGINS` | | the origins of other pages that may use the server, such as `https://chat.example.com`, separated by commas; see [`allowed_origins`](Self::allowed_origins) |
    /// | `WORKER_ALLOWED_HOSTS` | | names by which a server on a loopback address may be reached, such as `chat.example.com`, separated by commas; see [`allowed_hosts`](Self::allowed_hosts) |
    /// | `WORKER_ASSISTANT_NAME` | `Assistant` | the name on the agent's messages |
    /// | `WORKER_PRIVATE_THREADS` | `false` | shows a thread only to users who have written in it |
    /// | `WORKER_SECRET_KEY` | | the keys with which secret settings, and the answers to password fields of forms, are sealed: each 32 bytes in base64, separated by commas. The first seals, all of them open |
    /// | `WORKER_DRAIN_TIMEOUT` | `30` | seconds that running turns may take when the server stops. The process ends at most 3 s later |
    /// | `WORKER_LEASE` | `30` | seconds after which the turns of a process that does not renew its leases are taken over |
    /// | `WORKER_SENT_ID_RETENTION_DAYS` | `7` | days for which the `client_event_id`s of a deleted thread stay known |
    /// | `WORKER_MAX_FRAME_BYTES` | `262144` | the largest frame of a client |
    /// | `WORKER_MAX_ANSWER_BYTES` | `524288` | the largest page, list or snapshot, in bytes of its events or threads; one alone may be larger |
    /// | `WORKER_MAX_OUTBOUND_BYTES` | `1048576` | bytes that may wait for one connection |
    /// | `WORKER_MAX_OUTBOUND_TOTAL` | `67108864` | bytes that may wait for all connections together |
    /// | `WORKER_MAX_OUTBOUND_FRAMES` | `2048` | frames that may wait for one connection |
    /// | `WORKER_MAX_CONNECTIONS` | the limit of open files, minus 64 or an eighth | connections at the same time |
    /// | `WORKER_REQUEST_TIMEOUT` | `10` | seconds until a connection must have opened its WebSocket, or read the answer to another request |
    /// | `WORKER_CONNECT_TIMEOUT` | `10` | seconds until a client must have sent `connect` |
    /// | `WORKER_PING_INTERVAL` | `25` | seconds between the server's pings |
    /// | `WORKER_PONG_TIMEOUT` | `10` | seconds until a ping must be answered, and one more for each KiB that was sent since the last answer |
    /// | `WORKER_STALL_TIMEOUT` | `30` | seconds that a client may read nothing, or less than 1 KiB/s on average |
    ///
    /// Values of the PostgreSQL server that are not set are read from `PGHOST`, `PGUSER` and so on; see
    /// [`PostgresOptions`](crate::store::PostgresOptions).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a value that is not allowed. It names the variable and what is.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    fn from_variables(
        variables: impl Fn(&str) -> Option<std::ffi::OsString>,
    ) -> Result<Self, ConfigError> {
        let env = Environment::new(&variables);
        let mut config = Self {
            database: env.database()?,
            ..Self::default()
        };
        env.address("WORKER_BIND", &mut config.bind)?;
        env.list("WORKER_ALLOWED_ORIGINS", &mut config.allowed_origins)?;
        env.list("WORKER_ALLOWED_HOSTS", &mut config.allowed_hosts)?;
        env.text("WORKER_ASSISTANT_NAME", &mut config.assistant_name)?;
        env.boolean("WORKER_PRIVATE_THREADS", &mut config.private_threads)?;
        env.secret("WORKER_SECRET_KEY", &mut config.secret_keys)?;
        env.seconds("WORKER_DRAIN_TIMEOUT", 0.0, &mut config.drain_timeout)?;
        env.seconds("WORKER_LEASE", 0.1, &mut config.lease)?;
        env.days(
            "WORKER_SENT_ID_RETENTION_DAYS",
            &mut config.sent_id_retention,
        )?;
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
        env.seconds("WORKER_REQUEST_TIMEOUT", 0.001, &mut limits.request_timeout)?;
        env.seconds("WORKER_CONNECT_TIMEOUT", 0.001, &mut limits.connect_timeout)?;
        env.seconds("WORKER_PING_INTERVAL", 0.001, &mut limits.ping_interval)?;
        env.seconds("WORKER_PONG_TIMEOUT", 0.001, &mut limits.pong_timeout)?;
        env.seconds("WORKER_STALL_TIMEOUT", 0.001, &mut limits.stall_timeout)?;
        Ok(config)
    }

    /// Sets the address that [`serve`](crate::WorkerServer::serve) listens on.
    #[must_use]
    pub fn bind(mut self, address: SocketAddr) -> Self {
        self.bind = address;
        self
    }

    /// The address that [`serve`](crate::WorkerServer::serve) listens on: for a program that listens itself, to serve
    /// [`router`](crate::WorkerServer::router) within its own.
    #[must_use]
    pub fn bind_address(&self) -> SocketAddr {
        self.bind
    }

    /// Sets which pages may use the server from a browser, beside pages of the server itself and of the browser's own
    /// machine (`localhost`, names that end with `.localhost`, 127.0.0.0/8 and `[::1]`, with any port). A page is of the
    /// server itself if host and port of its `Origin` are those of `Host`, so a proxy in front of the server must pass
    /// `Host` on as it came, or the page's origin must be allowed here.
    ///
    /// Other requests that have the header `Origin` are answered with the status 403. Requests without it are not made by
    /// the script of a page, and are answered. This holds for the WebSockets and `GET /agents`, also in a
    /// [`router`](crate::WorkerServer::router).
    ///
    /// ```
    /// use dooers::WorkerConfig;
    ///
    /// let config = WorkerConfig::new().allowed_origins("https://chat.example.com".parse()?);
    /// # Ok::<(), dooers::NotAnOrigin>(())
    /// ```
    #[must_use]
    pub fn allowed_origins(mut self, origins: AllowedOrigins) -> Self {
        self.allowed_origins = origins;
        self
    }

    /// Sets by which names a server on a loopback address may be reached, beside `localhost`, names that end with
    /// `.localhost`, and loopback addresses. A tunnel or a proxy on the same machine may bring another name.
    ///
    /// Other requests are answered with the status 403: their names may belong to an attacker, who has made them lead to
    /// this machine. A server on any other address, and a [`router`](crate::WorkerServer::router), answer by every name.
    ///
    /// ```
    /// use dooers::WorkerConfig;
    ///
    /// let config = WorkerConfig::new().allowed_hosts("chat.example.com".parse()?);
    /// # Ok::<(), dooers::NotAHost>(())
    /// ```
    #[must_use]
    pub fn allowed_hosts(mut self, hosts: AllowedHosts) -> Self {
        self.allowed_hosts = hosts;
        self
    }

    /// Sets the name on the agent's messages.
    #[must_use]
    pub fn assistant_name(mut self, name: impl Into<String>) -> Self {
        self.assistant_name = name.into();
        self
    }

    /// Sets whether a thread is seen only by those who write in it.
    #[must_use]
    pub fn private_threads(mut self, private: bool) -> Self {
        self.private_threads = private;
        self
    }

    /// Sets the keys with which secret settings are sealed in the store, and what is typed into password fields of forms
    /// until its turn ends. Without any, settings are stored as they are, and forms with password fields are refused.
    ///
    /// `openssl rand -base64 32` makes a key. To change it, put the new one in front of the old one: what is stored from
    /// then on is sealed with the new one. The old one is needed until every secret was set again, and every turn has ended
    /// that was waiting or running; without it the server does not start. Setting a secret to its present text is enough, in
    /// any way: by a client's patch, by [`Settings::set`](crate::Settings::set) or by
    /// [`Repository::set_setting`](crate::repository::Repository::set_setting). The same seals secrets that were stored
    /// before there was a key.
    ///
    /// In a SQLite file no byte of the plain text is left once a secret is sealed or removed, unless an earlier version of
    /// dooers had changed it before: run `VACUUM` on the file then, while the server is stopped. PostgreSQL keeps the plain
    /// text in dead rows until a vacuum, and in its write-ahead log, archives, replicas and backups. Give such a secret a
    /// new value where it comes from.
    ///
    /// ```
    /// use dooers::WorkerConfig;
    ///
    /// let keys = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse()?;
    /// let config = WorkerConfig::new().secret_keys(keys);
    /// # Ok::<(), dooers::settings::NotAKey>(())
    /// ```
    #[must_use]
    pub fn secret_keys(mut self, keys: Keyring) -> Self {
        self.secret_keys = Some(keys);
        self
    }

    /// Sets the source of the variables that secret settings name with `default_env`, instead of the environment: a vault,
    /// or a test. `None` stands for a variable that is not set.
    ///
    /// ```
    /// use dooers::{Secret, WorkerConfig};
    ///
    /// let config = WorkerConfig::new()
    ///     .secret_variables(|name| (name == "SUPPORT_API_KEY").then(|| Secret::new("sk-test")));
    /// ```
    #[must_use]
    pub fn secret_variables(
        mut self,
        lookup: impl Fn(&str) -> Option<Secret> + Send + Sync + 'static,
    ) -> Self {
        self.secret_variables = Variables::by(lookup);
        self
    }

    /// Sets how long turns may still take when the server stops. It has stopped at most 3 s later.
    #[must_use]
    pub fn drain_timeout(mut self, at_most: Duration) -> Self {
        self.drain_timeout = at_most;
        self
    }

    /// Sets for how long a turn belongs to a process that gives no sign of life. After that another one ends it as
    /// interrupted. A process renews its leases three times in that time.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Sets how long the `client_event_id`s and idempotency keys of a thread stay known after the thread was deleted. 7 days
    /// by default.
    ///
    /// A message that is sent again in this time is refused, because its thread is gone. After it, the server has no record
    /// of the message nor of its user, and the same id is that of a new message. The ids of a thread that exists are
    /// always known. The server looks for such ids once an hour, or more often if it keeps them for less than that.
    ///
    /// ```
    /// use dooers::WorkerConfig;
    /// use std::time::Duration;
    ///
    /// let config = WorkerConfig::new().sent_id_retention(Duration::from_secs(24 * 3600));
    /// ```
    #[must_use]
    pub fn sent_id_retention(mut self, retention: Duration) -> Self {
        self.sent_id_retention = retention;
        self
    }

    /// Sets the limits of a connection.
    ///
    /// ```
    /// # use dooers::WorkerConfig;
    /// let config = WorkerConfig::new().limits(|limits| limits.frame_bytes = 1024 * 1024);
    /// ```
    #[must_use]
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// Sets which store conversations are kept in.
    ///
    /// ```
    /// use dooers::store::SqliteOptions;
    /// use dooers::{Database, WorkerConfig};
    ///
    /// let config = WorkerConfig::new().database(Database::Sqlite(SqliteOptions::new("support.db")));
    /// ```
    #[must_use]
    pub fn database(mut self, database: Database) -> Self {
        self.database = database;
        self
    }

    /// Keeps conversations in a store that the program has opened.
    ///
    /// ```
    /// use dooers::WorkerConfig;
    /// use dooers::store::MemoryStore;
    /// use std::sync::Arc;
    ///
    /// // A server that starts after the first one has closed finds its conversations.
    /// let store = Arc::new(MemoryStore::new());
    /// let first = WorkerConfig::new().store(store.clone());
    /// let second = WorkerConfig::new().store(store);
    /// ```
    #[must_use]
    pub fn store(self, store: Arc<dyn Store>) -> Self {
        self.database(Database::Custom(store))
    }
}

impl fmt::Debug for WorkerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerConfig")
            .field("bind", &self.bind)
            .field("assistant_name", &self.assistant_name)
            .field("private_threads", &self.private_threads)
            .field("drain_timeout", &self.drain_timeout)
            .field("lease", &self.lease)
            .field("sent_id_retention", &self.sent_id_retention)
            .field("limits", &self.limits)
            .field("allowed_origins", &self.allowed_origins)
            .field("allowed_hosts", &self.allowed_hosts)
            .field("database", &self.database)
            .field("secret_keys", &self.secret_keys)
            .field("secret_variables", &self.secret_variables)
            .finish()
    }
}

/// A variable of the environment has a value that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} is `{value}`; {allowed}")]
#[non_exhaustive]
pub struct ConfigError {
    /// The variable's name.
    pub variable: &'static str,
    /// Its value.
    pub value: String,
    /// What it may be.
    pub allowed: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &'static str) -> Result<WorkerConfig, ConfigError> {
        WorkerConfig::from_variables(|asked| (asked == name).then(|| value.into()))
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
        let error = with("WORKER_ALLOWED_ORIGINS", "https://a.example, b").unwrap_err();
        assert_eq!(
            error.to_string(),
            "WORKER_ALLOWED_ORIGINS is `https://a.example, b`; `b` is not an origin; write scheme, host and, if it is \
             not the scheme's own, port, such as https://chat.example.com:8443"
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
        assert_eq!(with("WORKER_BIND", "0.0.0.0:80").unwrap().bind.port(), 80);
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
            "WORKER_BIND is `8000`; it must be an address with a port, such as 127.0.0.1:8000 or [::1]:8000"
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
