//! A broker whose task exchanges messages with the other nodes.

use super::lines::Lines;
use super::{Broker, BrokerEvents, News, Watched};
use async_trait::async_trait;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A broker whose task exchanges messages with the other nodes, until the broker is closed or dropped.
#[derive(Debug)]
pub(crate) struct LinkedBroker {
    kind: &'static str,
    lines: Arc<Lines>,
    closed: CancellationToken,
    tasks: TaskTracker,
}

impl LinkedBroker {
    /// Starts the task. It must end when its token is cancelled.
    pub(super) fn start<T>(
        kind: &'static str,
        lines: Arc<Lines>,
        task: impl FnOnce(Arc<Lines>, CancellationToken) -> T,
    ) -> Self
    where
        T: Future<Output = ()> + Send + 'static,
    {
        let broker = Self::without_task(kind, lines);
        let task = task(Arc::clone(&broker.lines), broker.closed.clone());
        broker.tasks.spawn(task);
        broker
    }

    /// A broker that exchanges nothing.
    pub(super) fn closed(kind: &'static str, lines: Arc<Lines>) -> Self {
        let broker = Self::without_task(kind, lines);
        broker.closed.cancel();
        broker
    }

    fn without_task(kind: &'static str, lines: Arc<Lines>) -> Self {
        Self {
            kind,
            lines,
            closed: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }
}

impl Drop for LinkedBroker {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}

#[async_trait]
impl Broker for LinkedBroker {
    fn publish(&self, news: News) {
        // Without a task, nothing is sent.
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
        self.kind
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
