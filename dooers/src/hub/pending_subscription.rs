//! Subscriptions that have started and do not deliver yet.

use super::Hub;
use super::connection::Connection;
use super::feed::{Feed, Subscription};
use super::frame::Frame;
use super::lock::lock;
use crate::broker::Watch;
use crate::store::Position;
use std::sync::{Arc, Mutex};

impl Hub {
    /// Starts a subscription. The changes of the thread are kept until [`PendingSubscription::activate`] sets the position from
    /// which the connection receives them.
    pub(crate) fn subscribe(
        &self,
        connection: &Arc<Connection>,
        thread_id: &str,
    ) -> PendingSubscription {
        let mut reading = 0;
        let feed = self.feed_of(thread_id, |feed| reading = feed.begin_subscribing());
        PendingSubscription {
            reading,
            hub: self.clone(),
            watch: self.0.watched.thread(thread_id),
            thread_id: thread_id.to_owned(),
            connection: Arc::clone(connection),
            feed,
        }
    }

    /// Starts a subscription, and waits until the news of the thread from other nodes arrive at this one. Read the store
    /// afterwards, and no change is missed.
    pub(crate) async fn join(
        &self,
        connection: &Arc<Connection>,
        thread_id: &str,
    ) -> PendingSubscription {
        let join = self.subscribe(connection, thread_id);
        join.watch.heard().await;
        join
    }
}

/// A subscription that has started and does not deliver yet. Dropping it ends the subscription.
#[derive(Debug)]
pub(crate) struct PendingSubscription {
    hub: Hub,
    thread_id: String,
    connection: Arc<Connection>,
    watch: Watch,
    feed: Arc<Mutex<Feed>>,
    /// The value of [`Feed::begin_subscribing`].
    reading: u64,
}

impl PendingSubscription {
    /// Sends these frames, and then every change above the position as it is published.
    pub(crate) fn activate(self, first: impl IntoIterator<Item = Frame>, position: Position) {
        self.connection.remember(&self.thread_id, &self.watch);
        let mut feed = lock(&self.feed);
        for frame in first {
            self.connection.outbound().push(frame);
        }
        let subscription = Subscription {
            connection: Arc::clone(&self.connection),
            thread_id: self.thread_id.clone(),
            position,
        };
        feed.subscribe(subscription, self.reading);
    }

    /// Sends these frames. The rest is read from the store when the connection has room.
    pub(crate) fn activate_lagging(
        self,
        first: impl IntoIterator<Item = Frame>,
        position: Position,
    ) {
        self.connection.remember(&self.thread_id, &self.watch);
        for frame in first {
            self.connection.outbound().push(frame);
        }
        self.connection.fall_behind(&self.thread_id, position);
    }

    /// Sends a page of older events as they were at this `rev`. From then on the connection also receives their edits.
    pub(crate) fn extend_back(self, page: Frame, first_seq: u64, rev: u64) {
        let mut feed = lock(&self.feed);
        self.connection.outbound().push(page);
        if !feed.extend_back(self.connection.id(), first_seq, rev) {
            self.connection.extend_back(&self.thread_id, first_seq);
        }
    }
}

impl Drop for PendingSubscription {
    fn drop(&mut self) {
        lock(&self.feed).end_subscribing();
        self.hub.tidy(&self.thread_id);
    }
}
