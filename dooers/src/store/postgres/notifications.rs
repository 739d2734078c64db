//! Short texts between the processes of one database, by `NOTIFY` and `LISTEN`.

use super::PostgresOptions;
use super::place::digest;
use crate::store::StoreError;
use crate::store::postgres::connect::error::into_store_error;
use crate::store::postgres::connect::limit::{LAST_TRY, Limit};
use crate::store::postgres::connect::statement::query;
use crate::store::sql::{Columns, RowError};
use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};
use std::time::Duration;

/// Maximum length of a channel's name in bytes. PostgreSQL refuses longer ones.
const LONGEST_CHANNEL: usize = 63;

/// The limit for a statement on the connection. The statements touch no table.
const STATEMENT: Duration = Duration::from_secs(5);

const SCHEMA: &str = "SELECT current_schema()::text";

/// All texts are sent by one transaction, because each transaction with a notification waits for the others.
const NOTIFY: &str = "SELECT pg_notify($1, x.message) FROM unnest($2::text[]) AS x (message)";

const PING: &str = "SELECT 1::bigint";

/// A connection of its own that sends texts to the processes with the same schema and table prefix, and receives theirs.
#[derive(Debug)]
pub(crate) struct Notifications {
    listener: PgListener,
    pool: PgPool,
    channel: String,
}

impl Notifications {
    /// Connects, and listens from then on. The connection bypasses the pooler, if there is one.
    ///
    /// # Errors
    ///
    /// `Unavailable` if the database cannot be reached, and `Failed` for any other error.
    pub(crate) async fn connect(options: &PostgresOptions) -> Result<Self, StoreError> {
        let connecting = Limit::of_connecting(options.connect_limit());
        let direct = options.direct_options().disable_statement_logging();
        let name = direct.get_application_name().unwrap_or("dooers");
        let name = format!("{name} notifications");
        // sqlx listens only on a connection of a pool. This pool has a single connection, which is used until it is lost.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(options.connect_limit())
            // The loss of the connection is logged elsewhere.
            .acquire_slow_threshold(options.connect_limit())
            .connect_lazy_with(direct.application_name(&name));
        let all = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.eager_reconnect(false);
            let row = query(&SCHEMA.into()).fetch_one(&mut listener).await?;
            let schema = row.text(0).map_err(sqlx::Error::Decode)?;
            let channel = channel(schema, options.table_prefix.as_str());
            listener.listen(&channel).await?;
            Ok((listener, channel))
        };
        let (listener, channel) = connecting.on(all).await.map_err(failed)?;
        Ok(Self {
            listener,
            pool,
            channel,
        })
    }

    /// Sends texts to all processes that listen, also to this one. PostgreSQL accepts a text below 8,000 bytes. Drop the
    /// connection after an error.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect). The texts may have been sent.
    pub(crate) async fn send(&mut self, texts: Vec<String>) -> Result<(), StoreError> {
        let notify = query(&NOTIFY.into()).bind(self.channel.clone()).bind(texts);
        let sent = Limit::fixed(STATEMENT).on(notify.execute(&mut self.listener));
        sent.await.map_err(failed)?;
        Ok(())
    }

    /// Waits for the next text. Dropping the future loses nothing. Drop the connection after an error.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect). Texts may have been lost.
    pub(crate) async fn next(&mut self) -> Result<String, StoreError> {
        let received = self.listener.try_recv().await.map_err(failed)?;
        let lost = || failed(sqlx::Error::WorkerCrashed);
        Ok(received.ok_or_else(lost)?.payload().to_owned())
    }

    /// Checks that the server answers. A connection whose packets are lost would otherwise wait forever.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub(crate) async fn check(&mut self) -> Result<(), StoreError> {
        let ping = query(&PING.into());
        let answer = Limit::fixed(STATEMENT).on(ping.execute(&mut self.listener));
        answer.await.map_err(failed)?;
        Ok(())
    }

    /// Closes the connection.
    pub(crate) async fn close(self) {
        drop(self.listener);
        // An error while closing does not matter.
        let closing = async {
            self.pool.close().await;
            Ok::<_, sqlx::Error>(())
        };
        let _ = Limit::fixed(LAST_TRY).on(closing).await;
    }
}

/// The channel of the tables with this prefix in this schema. A prefix contains no dot, so two places never share a
/// channel.
fn channel(schema: &str, prefix: &str) -> String {
    let channel = format!("dooers.{schema}.{prefix}");
    if channel.len() <= LONGEST_CHANNEL {
        return channel;
    }
    format!("dooers.{}", digest(&channel))
}

fn failed(error: sqlx::Error) -> StoreError {
    into_store_error(RowError::from(error), "exchange notifications")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_depends_on_schema_and_prefix() {
        assert_eq!(channel("public", "worker_"), "dooers.public.worker_");
        let long = "s".repeat(63);
        let channels = [
            channel("public", "worker_"),
            channel("public", "other_"),
            channel("other", "worker_"),
            channel(&long, "worker_"),
            channel(&long, "other_"),
        ];
        for (place, one) in channels.iter().enumerate() {
            assert!(one.len() <= LONGEST_CHANNEL, "{one}");
            assert!(!channels[..place].contains(one), "{one}");
        }
    }
}
