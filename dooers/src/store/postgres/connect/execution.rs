//! Execution of statements, within a limit and through poolers.

use super::limit::Limit;
use super::options::PostgresOptions;
use super::statement::{Query, execute_script};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use std::sync::Arc;
use std::time::Duration;

/// The settings of each transaction through a pooler, which does not keep the settings of a connection.
const LOCAL_SETTINGS: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; \
     SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL jit = off";

/// The way in which statements are executed.
#[derive(Debug, Clone)]
pub(crate) struct Execution {
    limit: Limit,
    /// Applies the settings to a transaction, if a pooler may use another server connection for each one.
    local_settings: Option<Arc<str>>,
    /// Begins a transaction for one statement through a pooler.
    begin: Option<Arc<str>>,
}

impl Execution {
    pub(crate) fn new(options: &PostgresOptions) -> Self {
        let local_settings = options.is_pooled().then(|| {
            let limits = server_limits(options.longest_statement());
            let limits = limits.map(|(name, value)| format!("; SET LOCAL {name} = {value}"));
            format!("{LOCAL_SETTINGS}{}", limits.concat()).into()
        });
        let mut execution = Self {
            limit: Limit::of_statement(options.longest_statement()),
            local_settings,
            begin: None,
        };
        execution.begin = options
            .is_pooled()
            .then(|| execution.begin("BEGIN ISOLATION LEVEL READ COMMITTED"));
        execution
    }

    /// Returns the limit for each statement.
    pub(crate) fn limit(&self) -> Limit {
        self.limit
    }

    /// Returns a copy with another limit.
    pub(crate) fn within(&self, limit: Limit) -> Self {
        Self {
            limit,
            ..self.clone()
        }
    }

    /// Returns `true` if prepared statements can be reused.
    pub(crate) fn is_persistent(&self) -> bool {
        self.begin.is_none()
    }

    /// Returns the text that begins a transaction with our settings.
    pub(crate) fn begin(&self, begin: &str) -> Arc<str> {
        match &self.local_settings {
            Some(settings) => format!("{begin}; {settings}").into(),
            None => begin.into(),
        }
    }

    /// Executes one statement. After an error of [`is_lost`](super::error::is_lost), the connection must be dropped.
    pub(crate) async fn rows(
        &self,
        connection: &mut PgConnection,
        statement: Query,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let statement = statement.persistent(self.is_persistent());
        let all = async {
            let Some(begin) = &self.begin else {
                return statement.fetch_all(connection).await;
            };
            execute_script(connection, begin).await?;
            let rows = statement.fetch_all(&mut *connection).await;
            let end = if rows.is_ok() { "COMMIT" } else { "ROLLBACK" };
            let ended = execute_script(connection, &end.into()).await;
            // The first error is more precise.
            let rows = rows?;
            ended?;
            Ok(rows)
        };
        self.limit.on(all).await
    }
}

/// Returns the server's own limits: for a statement, and for a transaction whose client has disconnected.
pub(crate) fn server_limits(statement: Duration) -> [(&'static str, u128); 2] {
    let millis = statement.as_millis();
    [
        ("statement_timeout", millis),
        ("idle_in_transaction_session_timeout", millis),
    ]
}
