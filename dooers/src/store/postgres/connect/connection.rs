//! Connections to the database.

use super::error::{code, is_distrust, is_lost};
use super::execution::server_limits;
use super::limit::Limit;
use super::options::PostgresOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use std::fmt;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// The settings of each connection. Our statements find all rows by an index. Many of these rows change in a burst, so
/// the planner's statistics are often wrong, and it may not choose another plan. Bitmap scans are off as well, because
/// only a plain index scan marks the entries of dead rows, and a row that changes with each turn leaves one such entry
/// each time.
const SETTINGS: [(&str, &str); 7] = [
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("plan_cache_mode", "force_generic_plan"),
    ("jit", "off"),
    ("default_transaction_isolation", "read committed"),
];

/// The first and the longest pause between attempts to reach the database.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(20);
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The options of a connection, as sqlx takes them. `Debug` does not show them, because sqlx would show the password.
#[derive(Clone)]
pub(crate) struct DriverOptions(PgConnectOptions);

impl DriverOptions {
    /// Connects, with a single attempt and without a limit.
    pub(crate) async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect_with(&self.0).await
    }
}

impl From<PgConnectOptions> for DriverOptions {
    fn from(options: PgConnectOptions) -> Self {
        Self(options)
    }
}

impl fmt::Debug for DriverOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DriverOptions(…)")
    }
}

/// Returns the options for connections that read and write.
pub(crate) fn connect_options(options: &PostgresOptions) -> DriverOptions {
    let connect = options.connect_options().disable_statement_logging();
    let connect = if options.is_pooled() {
        // A pooler does not accept these settings at startup.
        connect
    } else {
        let limits = server_limits(options.longest_statement());
        connect.options(SETTINGS).options(limits)
    };
    connect.into()
}

/// Connects. If the database cannot be reached, tries again until the limit passes.
pub(crate) async fn connect(
    options: &DriverOptions,
    limit: Limit,
) -> Result<PgConnection, sqlx::Error> {
    let end = limit.end();
    let mut pause = FIRST_PAUSE;
    let mut last = None;
    loop {
        let error = match timeout_at(end, options.connect()).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => error,
            // The earlier error is more precise than a timeout.
            Err(_) => return Err(last.unwrap_or_else(|| limit.passed())),
        };
        if !may_pass(&error) || Instant::now() + pause >= end {
            return Err(error);
        }
        last = Some(error);
        sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// Returns `true` if connecting may succeed a little later.
fn may_pass(error: &sqlx::Error) -> bool {
    let is_distrusted = matches!(error, sqlx::Error::Io(error) if is_distrust(error));
    let is_refused_by_pooler = code(error).is_some_and(|code| code == "08P01");
    is_lost(error)
        && !is_distrusted
        && !is_refused_by_pooler
        && !matches!(error, sqlx::Error::Tls(_))
}
