//! The broker that uses the database: `NOTIFY` and `LISTEN`.

use super::lines::Lines;
use super::pending::Windows;
use super::{LinkedBroker, Watched};
use crate::store::{Notifications, PostgresOptions, SharedDatabase, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// News of this time share a message.
const WINDOW: Duration = Duration::from_millis(10);

/// The interval at which the connection is checked.
const CHECK: Duration = Duration::from_secs(15);

/// The first and the longest pause between two attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Starts a broker that uses the database. It has a connection of its own, and connects again by itself.
pub(crate) fn start_postgres(database: SharedDatabase<'_>) -> LinkedBroker {
    const KIND: &str = "postgres";
    let options = database.options.clone();
    let lines = Lines::new(
        database.node_key.clone(),
        Windows::always(WINDOW),
        Watched::default(),
    );
    if !options.bypasses_pooler() {
        lines.lost(&Pooled);
        return LinkedBroker::closed(KIND, lines);
    }
    LinkedBroker::start(KIND, lines, |lines, closed| {
        let link = Link {
            options,
            lines,
            closed,
        };
        link.run()
    })
}

/// The reason why a broker behind a pooler does not connect.
#[derive(Debug, thiserror::Error)]
#[error(
    "a pooler in transaction mode carries no notifications; set WORKER_DATABASE_DIRECT_URL to the server itself"
)]
struct Pooled;

/// The task that keeps the connection.
struct Link {
    options: PostgresOptions,
    lines: Arc<Lines>,
    closed: CancellationToken,
}

impl Link {
    /// Connects, again and again, until the broker is closed.
    async fn run(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let connecting = Notifications::connect(&self.options);
            let Some(connected) = self.closed.run_until_cancelled(connecting).await else {
                return;
            };
            let error = match connected {
                Ok(mut notifications) => {
                    self.lines.connected();
                    pause = FIRST_PAUSE;
                    match self.exchange(&mut notifications).await {
                        Ok(()) => return notifications.close().await,
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            self.lines.lost(&error);
            if self
                .closed
                .run_until_cancelled(sleep(pause))
                .await
                .is_none()
            {
                return;
            }
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Exchanges messages until the broker is closed or the connection is lost.
    async fn exchange(&self, notifications: &mut Notifications) -> Result<(), StoreError> {
        let mut check = Instant::now() + CHECK;
        loop {
            tokio::select! {
                () = self.closed.cancelled() => return self.send(notifications).await,
                () = self.lines.pending.due() => self.send(notifications).await?,
                text = notifications.next() => self.lines.receive(&text?),
                () = sleep_until(check) => {
                    notifications.check().await?;
                    check = Instant::now() + CHECK;
                }
            }
        }
    }

    /// Sends what waits. After an error, it waits for the next connection.
    async fn send(&self, notifications: &mut Notifications) -> Result<(), StoreError> {
        let news = self.lines.pending.take();
        let messages = self.lines.encode(news.clone());
        if messages.is_empty() {
            return Ok(());
        }
        let sent = notifications.send(messages).await;
        sent.inspect_err(|_| self.lines.pending.put_back(news))
    }
}
