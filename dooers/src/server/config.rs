//! The configuration of a server.

use super::agent_variables::AgentVariables;
use super::analytics_events::AnalyticsEvents;
use super::bind_address::BindAddress;
use super::broker_kind::BrokerChoice;
use super::database::Database;
use super::misspelled_variables::MisspelledVariables;
use super::origin::{AllowedHosts, AllowedOrigins};
use super::quota::{QuotaChoice, Quotas};
use super::trusted_proxies::TrustedProxies;
#[cfg(feature = "webhook")]
use super::webhook::AnalyticsWebhook;
use crate::auth::SharedAuthenticator;
#[cfg(feature = "testing")]
use crate::broker::BrokerFaults;
use crate::handler::AgentDefinition;
use crate::settings::{Keyring, Secret, Variables};
use crate::store::Store;
use crate::store::UsageLimit;
use crate::store::analytics::AnalyticsFilter;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The configuration of a server. Every value has a default.
///
/// ```
/// use dooers::WorkerConfig;
///
/// let config = WorkerConfig::new().bind("localhost:9000").assistant_name("Ada");
/// ```
#[derive(Clone)]
pub struct WorkerConfig {
    pub(crate) bind: BindAddress,
    pub(crate) assistant_name: String,
    pub(crate) private_threads: bool,
    pub(crate) drain_timeout: Duration,
    pub(super) drain_delay: Duration,
    pub(crate) lease: Duration,
    pub(crate) sent_id_retention: Duration,
    pub(crate) limits: Limits,
    pub(super) quotas: QuotaChoice,
    pub(crate) usage_limits: Vec<UsageLimit>,
    pub(crate) allowed_origins: AllowedOrigins,
    pub(crate) allowed_hosts: AllowedHosts,
    pub(super) authenticator: SharedAuthenticator,
    /// A variable has set the authenticator.
    pub(super) authenticator_is_by_variable: bool,
    pub(super) allow_open: bool,
    pub(super) trusted_proxies: TrustedProxies,
    /// `None` serves the playground on loopback addresses only.
    #[cfg(feature = "playground")]
    pub(super) playground: Option<bool>,
    pub(crate) database: Database,
    /// The program or a variable has set the database.
    pub(super) database_is_chosen: bool,
    pub(super) broker: BrokerChoice,
    #[cfg(feature = "testing")]
    pub(super) broker_faults: BrokerFaults,
    pub(crate) secret_keys: Option<Keyring>,
    pub(crate) secret_variables: Variables,
    pub(crate) analytics: AnalyticsFilter,
    #[cfg(feature = "webhook")]
    pub(super) webhook: Option<AnalyticsWebhook>,
    pub(crate) agent_variables: AgentVariables,
    pub(super) misspelled: MisspelledVariables,
}

/// Limits of connections, frames and answers.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Maximum size of a client's frame, in bytes. 256 KiB by default.
    pub frame_bytes: usize,
    /// Maximum size of an answer, in bytes of its events or threads. 512 KiB by default. A page or a snapshot ends
    /// before the first item that would exceed the limit, and states that there is more. A single item may be larger.
    pub answer_bytes: usize,
    /// Maximum number of bytes that wait for one connection. 1 MiB by default.
    pub outbound_bytes: usize,
    /// Maximum number of bytes that wait for all connections together. 64 MiB by default. A frame counts for each
    /// connection that it waits for.
    ///
    /// Above the limit, the server starts no request. Live frames are left in the store for connections whose queue
    /// already contains a sixteenth of `outbound_bytes`. Connections whose frames have waited for the
    /// [`stall_timeout`](Self::stall_timeout) are closed.
    pub outbound_total: usize,
    /// Maximum number of frames that wait for one connection. 2,048 by default.
    pub outbound_frames: usize,
    /// Maximum number of simultaneous connections. A connection above the limit is answered with the status 503.
    ///
    /// `None`, the default, stands for the number of files that the process may have open, minus a reserve for the
    /// store and for handlers: 64 files or an eighth of them, whichever is more. A program that serves
    /// [`router`](crate::WorkerServer::router) itself must limit its connections itself.
    pub connections: Option<usize>,
    /// Maximum number of pending connections: those whose client has not sent `connect` yet, or sends another request.
    ///
    /// If there is one more, the oldest of them is closed, and the new one is served. A client that sends `connect` at
    /// once therefore always finds a place, unless clients that have connected hold all of them. The same happens if
    /// all `connections` are taken. `None`, the default, stands for half of the `connections`, but at least 16.
    pub pending_connections: Option<usize>,
    /// Maximum number of pending connections of one client address. If there is one more, the oldest of them is closed.
    ///
    /// The address is that of the client behind the [`trusted_proxies`](WorkerConfig::trusted_proxies). The addresses of
    /// one IPv6 network (/64) count as one. `None`, the default, stands for half of the `pending_connections`, but at
    /// least 16.
    pub pending_per_address: Option<usize>,
    /// The time within which a connection must open its WebSocket, or send another request and read the answer. 10 s by
    /// default. A program that serves [`router`](crate::WorkerServer::router) itself must set its own time limits.
    pub request_timeout: Duration,
    /// The time within which a client must send `connect`. 10 s by default.
    pub connect_timeout: Duration,
    /// The time within which the authenticator must answer. 10 s by default.
    pub auth_timeout: Duration,
    /// The time after which a connection is closed whose identity has expired, unless its client renews it by another
    /// `connect`. 30 s by default. Until then, its requests are refused, and it receives no live frames.
    pub auth_grace: Duration,
    /// The interval between the server's pings. 25 s by default.
    pub ping_interval: Duration,
    /// The time within which the client must answer a ping. 10 s by default. It is extended by one second for each KiB
    /// that was sent since the client's last answer, because the client reads those bytes first.
    pub pong_timeout: Duration,
    /// The time for which a client may read nothing while frames wait for it. 30 s by default. A client that takes 1
    /// KiB/s on average over this time is fast enough. The system reports progress in steps: of up to 68 KiB on Linux,
    /// and of its whole buffer elsewhere and in a [`router`](crate::WorkerServer::router).
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
            pending_connections: None,
            pending_per_address: None,
            request_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            auth_timeout: Duration::from_secs(10),
            auth_grace: Duration::from_secs(30),
            ping_interval: Duration::from_secs(25),
            pong_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
        }
    }
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            bind: ([127, 0, 0, 1], 8000).into(),
            assistant_name: "Assistant".to_owned(),
            private_threads: false,
            drain_timeout: Duration::from_secs(30),
            drain_delay: Duration::ZERO,
            lease: Duration::from_secs(30),
            sent_id_retention: Duration::from_secs(7 * 24 * 3600),
            limits: Limits::default(),
            quotas: QuotaChoice::default(),
            usage_limits: Vec::new(),
            allowed_origins: AllowedOrigins::default(),
            allowed_hosts: AllowedHosts::default(),
            authenticator: SharedAuthenticator::default(),
            authenticator_is_by_variable: false,
            allow_open: false,
            trusted_proxies: TrustedProxies::default(),
            #[cfg(feature = "playground")]
            playground: None,
            database: Database::default(),
            database_is_chosen: false,
            broker: BrokerChoice::default(),
            #[cfg(feature = "testing")]
            broker_faults: BrokerFaults::new(),
            secret_keys: None,
            secret_variables: Variables::default(),
            analytics: AnalyticsFilter::default(),
            #[cfg(feature = "webhook")]
            webhook: None,
            agent_variables: AgentVariables::default(),
            misspelled: MisspelledVariables::default(),
        }
    }
}

impl WorkerConfig {
    /// Creates a configuration with the default values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the address or name that [`serve`](crate::WorkerServer::serve) listens on. With the port 0, the system
    /// chooses a port, and `serve` prints it.
    ///
    /// A text that is not an address or a name with a port is an error of `serve`.
    ///
    /// ```
    /// use dooers::WorkerConfig;
    ///
    /// let config = WorkerConfig::new().bind("localhost:8000");
    /// ```
    #[must_use]
    pub fn bind(mut self, address: impl Into<BindAddress>) -> Self {
        self.bind = address.into();
        self
    }

    /// The address that [`serve`](crate::WorkerServer::serve) listens on. A program that nests
    /// [`router`](crate::WorkerServer::router) in its own router can use it for its own listener.
    #[must_use]
    pub fn bind_address(&self) -> &BindAddress {
        &self.bind
    }

    /// Sets further origins whose pages may use the server from a browser. Two kinds of pages may always use it: pages
    /// of the server itself, and pages of the browser's own machine (`localhost`, names that end with `.localhost`,
    /// 127.0.0.0/8 and `[::1]`, with any port).
    ///
    /// A page belongs to the server itself if host and port of its `Origin` equal those of `Host`. A proxy in front of
    /// the server must therefore forward `Host` unchanged, or be one of the [`trusted_proxies`](Self::trusted_proxies)
    /// and send `X-Forwarded-Host`, or the origin of the page must be allowed here.
    ///
    /// Requests from other origins are answered with the status 403. Requests without the header `Origin` are not made
    /// by the script of a page, and are accepted. These rules apply to the WebSockets and to `GET /agents`, also in a
    /// [`router`](crate::WorkerServer::router). Pages of the origins that may use the server can also read the answers of
    /// `GET /agents`, `/healthz` and `/readyz` (CORS, without cookies).
    ///
    /// ```
    /// use dooers::WorkerConfig;
    ///
    /// let config = WorkerConfig::new().allowed_origins("https://chat.example.com".parse()?);
    /// # Ok::<(), dooers::InvalidOrigin>(())
    /// ```
    #[must_use]
    pub fn allowed_origins(mut self, origins: AllowedOrigins) -> Self {
        self.allowed_origins = origins;
        self
    }

    /// Sets further host names by which a server on a loopback address may be reached. `localhost`, names that end with
    /// `.localhost`, and loopback addresses are always allowed. A tunnel or a proxy on the same machine may use another
    /// name.
    ///
    /// Requests with other names are answered with the status 403, because an attacker could let such a name point to
    /// this machine. A server on any other address, and a [`router`](crate::WorkerServer::router), accept every name.
    ///
    /// ```
    /// use dooers::WorkerConfig;
    ///
    /// let config = WorkerConfig::new().allowed_hosts("chat.example.com".parse()?);
    /// # Ok::<(), dooers::InvalidHost>(())
    /// ```
    #[must_use]
    pub fn allowed_hosts(mut self, hosts: AllowedHosts) -> Self {
        self.allowed_hosts = hosts;
        self
    }

    /// Allows a server without an authenticator on an address that other machines can reach, and for the pages of every
    /// origin (`*` in [`allowed_origins`](Self::allowed_origins)). Every client can then read and write the conversations of
    /// every user, so another program must keep strangers away.
    #[must_use]
    pub fn allow_open_on_any_address(mut self) -> Self {
        self.allow_open = true;
        self
    }

    /// Sets the proxies in front of the server. Their headers `X-Forwarded-For`, `X-Forwarded-Proto` and
    /// `X-Forwarded-Host` count. The same headers of anyone else are ignored.
    ///
    /// * The client of a request is the rightmost address in `X-Forwarded-For` that is not one of the proxies. Limits by
    ///   address apply to the client. Without this list, they apply to the proxy, and so to all its clients together.
    /// * The name in `X-Forwarded-Host` is the host of the server when its own pages are recognized, so the proxy need not
    ///   forward `Host`. A server on a loopback address accepts the name only if it is one of the
    ///   [`allowed_hosts`](Self::allowed_hosts). Several names that differ are not used.
    /// * The scheme in `X-Forwarded-Proto` must then be the scheme of the page. With `https`, answers have the header
    ///   `Strict-Transport-Security`.
    ///
    /// List only addresses from which no client can connect directly, because every host with such an address can claim to
    /// be any client. The proxies must append to, or replace, `X-Forwarded-For`, and must replace the other two headers.
    ///
    /// In a [`router`](crate::WorkerServer::router), the list has an effect only if the program provides the addresses of
    /// connections, by `into_make_service_with_connect_info::<SocketAddr>()` of axum.
    ///
    /// ```
    /// use dooers::WorkerConfig;
    ///
    /// let config = WorkerConfig::new().trusted_proxies("10.0.0.5, fd00::/8".parse()?);
    /// # Ok::<(), dooers::InvalidProxy>(())
    /// ```
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.trusted_proxies = proxies;
        self
    }

    /// Sets the author name on the agent's messages.
    #[must_use]
    pub fn assistant_name(mut self, name: impl Into<String>) -> Self {
        self.assistant_name = name.into();
        self
    }

    /// Sets whether threads are private: visible only to users who have written in them. By default, every user of a
    /// workspace sees all of its threads.
    ///
    /// An agent with the option `private_threads` of [`#[dooers::agent]`](macro@crate::agent#private-threads) follows
    /// its option instead, and one with a variable such as `WORKER_AGENT_SUPPORT_PRIVATE_THREADS` its variable.
    #[must_use]
    pub fn private_threads(mut self, private: bool) -> Self {
        self.private_threads = private;
        self
    }

    /// Sets the keys that seal (encrypt) secret settings in the store, and the answers to password fields of forms
    /// until their turn ends. Without keys, secret settings are stored in plain text, and forms with password fields
    /// are refused.
    ///
    /// `openssl rand -base64 32` creates a key. To change the key, put the new one in front of the old one. From then
    /// on, values are sealed with the new key. The old key is still needed until every secret has been set again and
    /// every turn that was queued or running has ended. Without it, the server does not start. Setting a secret to its
    /// present value is enough: by a client's patch, by [`Settings::set`](crate::Settings::set) or by
    /// [`Repository::set_setting`](crate::repository::Repository::set_setting). This also seals secrets that were
    /// stored before there was a key.
    ///
    /// A SQLite file contains no byte of the plain text after a secret was sealed or removed, unless an earlier
    /// version of dooers changed the secret before. In that case, stop the server and run `VACUUM` on the file.
    /// PostgreSQL keeps the plain text in dead rows until a vacuum, and in its write-ahead log, archives, replicas and
    /// backups. Replace such a secret where it was issued.
    ///
    /// ```
    /// use dooers::WorkerConfig;
    ///
    /// let keys = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse()?;
    /// let config = WorkerConfig::new().secret_keys(keys);
    /// # Ok::<(), dooers::settings::InvalidKey>(())
    /// ```
    #[must_use]
    pub fn secret_keys(mut self, keys: Keyring) -> Self {
        self.secret_keys = Some(keys);
        self
    }

    /// Sets the source of the variables that secret settings name with `default_env`, such as a vault. By default, they
    /// are environment variables. The function returns `None` for a variable that is not set.
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

    /// Sets the variables that override the options of agents, such as `WORKER_AGENT_SUPPORT_TIMEOUT`, for a program whose
    /// configuration is not in the environment. [`from_env`](Self::from_env) describes and reads them. Other variables are
    /// ignored.
    ///
    /// ```
    /// use dooers::WorkerConfig;
    ///
    /// let config = WorkerConfig::new().agent_variables([("WORKER_AGENT_SUPPORT_TIMEOUT", "90")]);
    /// ```
    #[must_use]
    pub fn agent_variables<N, V>(mut self, variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let variables = variables.into_iter();
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        self.agent_variables = AgentVariables::of(variables);
        self
    }

    /// Sets how long the `client_event_id`s and idempotency keys of a deleted thread are kept. 7 days by default.
    ///
    /// A message that is sent again within this time is refused, because its thread was deleted. After that, the server
    /// has no record of the message or its user, and a message with the same id is a new one. The ids of an existing
    /// thread are always kept. The server looks for expired ids once an hour, or more often if the time is shorter.
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

    /// Sets whether analytics events are recorded. They are by default. Events cost nothing without a webhook and without
    /// a client that is subscribed to them.
    #[must_use]
    pub fn analytics(mut self, on: bool) -> Self {
        self.analytics.is_off = !on;
        self
    }

    /// Sets the analytics events that are not recorded, built-in ones and those of the program.
    ///
    /// ```
    /// use dooers::WorkerConfig;
    ///
    /// let config = WorkerConfig::new().disabled_analytics_events("message.c2s, order.placed".parse()?);
    /// # Ok::<(), dooers::InvalidAnalyticsName>(())
    /// ```
    #[must_use]
    pub fn disabled_analytics_events(mut self, events: AnalyticsEvents) -> Self {
        self.analytics.disabled = events.into_names();
        self
    }

    /// Sets the webhook that receives the analytics events. Without one, nothing is stored or sent. Events that wait in the
    /// database when a program starts without its webhook stay there, and are sent when a program with a webhook uses the
    /// database again.
    #[cfg(feature = "webhook")]
    #[must_use]
    pub fn analytics_webhook(mut self, webhook: AnalyticsWebhook) -> Self {
        self.webhook = Some(webhook);
        self
    }

    /// Returns true if the threads of a served agent are private. This is the only place that decides it.
    pub(super) fn is_private(&self, agent: &AgentDefinition) -> bool {
        agent.private_threads().unwrap_or(self.private_threads)
    }

    /// Returns the analytics events that are stored for the webhook. `None` if none are.
    pub(super) fn outbox(&self) -> Option<AnalyticsFilter> {
        #[cfg(feature = "webhook")]
        return self
            .webhook
            .as_ref()
            .filter(|_| !self.analytics.is_off)
            .map(|_| self.analytics.clone());
        #[cfg(not(feature = "webhook"))]
        return None;
    }

    /// Changes the limits of connections, frames and answers.
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

    /// Changes the quotas of clients, and applies them whatever the authenticator is.
    ///
    /// Without this call, a server whose authenticator checks clients has the default [`Quotas`], and one that believes
    /// clients, such as a server without an authenticator, has none.
    ///
    /// ```
    /// use dooers::{Quota, WorkerConfig};
    ///
    /// let config = WorkerConfig::new().quotas(|quotas| {
    ///     quotas.messages_per_minute = Quota::at_most(30);
    ///     quotas.threads_per_day = Quota::at_most(50);
    /// });
    /// ```
    #[must_use]
    pub fn quotas(mut self, change: impl FnOnce(&mut Quotas)) -> Self {
        self.quotas.change(change);
        self
    }

    /// Turns all quotas of clients off, whatever the authenticator is.
    #[must_use]
    pub fn without_quotas(mut self) -> Self {
        self.quotas = QuotaChoice::Off;
        self
    }

    /// Adds a limit of the usage that handlers report with [`WorkerResponse::usage`](crate::WorkerResponse::usage).
    ///
    /// When the limit is reached, a message that would start a turn is refused as `RATE_LIMITED` until the period ends. A
    /// message that was stored before may be sent again. There may be any number of limits, and each applies on its own.
    /// Without limits, nothing is checked. [`UsageLimit`] has an example.
    #[must_use]
    pub fn usage_limit(mut self, limit: UsageLimit) -> Self {
        self.usage_limits.push(limit);
        self
    }

    /// Sets the store in which conversations are kept.
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
        self.database_is_chosen = true;
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
        let mut shown = f.debug_struct("WorkerConfig");
        shown
            .field("bind", &self.bind)
            .field("assistant_name", &self.assistant_name)
            .field("private_threads", &self.private_threads)
            .field("drain_timeout", &self.drain_timeout)
            .field("drain_delay", &self.drain_delay)
            .field("lease", &self.lease)
            .field("sent_id_retention", &self.sent_id_retention)
            .field("limits", &self.limits)
            .field("quotas", &self.quotas)
            .field("usage_limits", &self.usage_limits)
            .field("allowed_origins", &self.allowed_origins)
            .field("allowed_hosts", &self.allowed_hosts)
            .field("authenticator", &self.authenticator)
            .field("allow_open", &self.allow_open)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("database", &self.database)
            .field("broker", &self.broker)
            .field("secret_keys", &self.secret_keys)
            .field("secret_variables", &self.secret_variables)
            .field("analytics", &self.analytics)
            .field("agent_variables", &self.agent_variables)
            .field("misspelled", &self.misspelled);
        #[cfg(feature = "playground")]
        shown.field("playground", &self.playground);
        #[cfg(feature = "webhook")]
        shown.field("webhook", &self.webhook);
        shown.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agent_option_beats_the_configuration() {
        let agent = AgentDefinition::from_fn("diary", async || {});
        for by_configuration in [false, true] {
            let config = WorkerConfig::new().private_threads(by_configuration);
            assert_eq!(config.is_private(&agent), by_configuration);
            for option in [false, true] {
                let agent = agent.clone().with_private_threads(option);
                assert_eq!(config.is_private(&agent), option);
            }
        }
    }
}
