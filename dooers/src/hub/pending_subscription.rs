//! Subscriptions that have started and do not deliver yet.

use super::Hub;
use super::connection::Connection;
use super::feed::{Feed, Subscription};
use super::frame::Frame;
use super::lock::lock;
use super::shown_text::ReadTexts;
use crate::broker::Watch;
use crate::protocol::ThreadEvent;
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
            read: ReadTexts::default(),
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
    /// The texts among the events that the connection is sent.
    read: ReadTexts,
}

impl PendingSubscription {
    /// Notes events that were read from the store, and are in a frame that contains more than one change.
    pub(crate) fn with_events(mut self, events: &[ThreadEvent]) -> Self {
        events.iter().for_each(|event| self.read.add(event));
        self
    }

    /// Sends these frames, and then every change above the position as it is published.
    pub(crate) fn activate(mut self, first: impl IntoIterator<Item = Frame>, position: Position) {
        self.connection.remember(&self.thread_id, &self.watch);
        let feed = Arc::clone(&self.feed);
        let mut feed = lock(&feed);
        self.send(first);
        let subscription = Subscription {
            connection: Arc::clone(&self.connection),
            thread_id: self.thread_id.clone(),
            position,
            shown: self.connection.take_shown(&self.thread_id),
        };
        feed.subscribe(subscription, self.reading, &self.read);
    }

    /// Sends these frames. The rest is read from the store when the connection has room.
    pub(crate) fn activate_lagging(
        mut self,
        first: impl IntoIterator<Item = Frame>,
        position: Position,
    ) {
        self.connection.remember(&self.thread_id, &self.watch);
        let feed = Arc::clone(&self.feed);
        let mut feed = lock(&feed);
        self.send(first);
        let mut shown = self.connection.take_shown(&self.thread_id);
        feed.lag(self.connection.id(), &mut shown, &self.read);
        self.connection
            .fall_behind(&self.thread_id, position, shown);
    }

    fn send(&mut self, frames: impl IntoIterator<Item = Frame>) {
        for frame in frames {
            if let Some(event) = frame.event() {
                self.read.add(event);
            }
            self.connection.outbound().push(frame);
        }
        self.order_texts();
    }

    /// Puts later states of texts behind the frames that were just sent.
    fn order_texts(&self) {
        for event in &self.read.open {
            self.connection.outbound().end_replacing(&event.id);
        }
    }

    /// Sends a page of older events as they were at this `rev`. From then on the connection also receives their edits.
    pub(crate) fn extend_back(self, page: Frame, first_seq: u64, rev: u64) {
        let mut feed = lock(&self.feed);
        self.connection.outbound().push(page);
        self.order_texts();
        let id = self.connection.id();
        if !feed.extend_back(id, first_seq, rev, &self.read) {
            let texts = self.read.open.iter().map(|event| event.seq);
            self.connection
                .extend_back(&self.thread_id, first_seq, texts);
        }
    }
}

impl Drop for PendingSubscription {
    fn drop(&mut self) {
        lock(&self.feed).end_subscribing();
        self.hub.tidy(&self.thread_id);
    }
}
