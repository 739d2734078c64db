//! The handle to the broker.

use super::link::Link;
use super::options::Prepared;
use crate::broker::lines::Lines;
use crate::broker::{Broker, BrokerEvents, News, Watched};
use crate::store::PostgresStore;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// News of this time share a message. A message costs a NATS server much less than it costs PostgreSQL.
const WINDOW: Duration = Duration::from_millis(1);

/// A broker that uses a NATS server. It connects again by itself.
#[derive(Debug)]
pub(crate) struct NatsBroker {
    lines: Arc<Lines>,
    closed: CancellationToken,
    tasks: TaskTracker,
}

impl NatsBroker {
    /// Starts to connect. The database of the store identifies the nodes that belong together.
    pub(crate) fn start(options: Prepared, store: &PostgresStore) -> Self {
        let broker = Self {
            lines: Lines::new(store.node_key().clone(), WINDOW, Watched::by_topic()),
            closed: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        let link = Link {
            options,
            database: store.options().clone(),
            lines: Arc::clone(&broker.lines),
            closed: broker.closed.clone(),
        };
        broker.tasks.spawn(link.run());
        broker
    }
}

impl Drop for NatsBroker {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}

#[async_trait]
impl Broker for NatsBroker {
    fn publish(&self, news: News) {
        if !self.closed.is_cancelled() {
            self.lines.pending.publish(news);
        }
    }

    fn subscribe(&self) -> Option<BrokerEvents> {
        self.lines.subscribe()
    }

    fn watched(&self) -> Watched {
        self.lines.watched.clone()
    }

    async fn ready(&self) {
        self.lines.ready().await;
    }

    fn is_connected(&self) -> bool {
        self.lines.is_connected()
    }

    fn kind(&self) -> &'static str {
        "nats"
    }

    fn malformed(&self) -> u64 {
        self.lines.malformed()
    }

    async fn close(&self) {
        self.closed.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
