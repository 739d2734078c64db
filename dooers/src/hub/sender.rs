//! The sender of changes, of which a hub has one.

use super::Hub;
use super::feed::Feed;
use super::frame::{Frame, Update};
use super::lock::lock;
use crate::broker::Watched;
use crate::store::{Change, ThreadRecord};
use std::sync::{Arc, Mutex};

/// Sends changes of threads to the subscribers of a hub.
///
/// A hub has one sender. Its owner therefore decides how changes are published.
#[derive(Debug)]
pub(crate) struct ChangeSender {
    hub: Hub,
}

impl Hub {
    /// Creates a hub without connections, and the only sender of changes to it.
    pub(crate) fn new(watched: Watched) -> (Self, ChangeSender) {
        let hub = Self::watching(watched);
        (hub.clone(), ChangeSender::new(hub))
    }
}

impl ChangeSender {
    pub(super) fn new(hub: Hub) -> Self {
        Self { hub }
    }

    /// Registers a change of this thread that is about to be stored.
    ///
    /// Until the result is dropped, the hub remembers which row of the thread it has sent, so that a writer that was
    /// overtaken does not send an older one.
    pub(crate) fn writing(&self, thread_id: &str) -> Writing {
        let feed = self.hub.feed_of(thread_id, Feed::begin_writing);
        Writing {
            hub: self.hub.clone(),
            thread_id: thread_id.to_owned(),
            feed,
        }
    }

    /// Registers a change that is about to be stored in threads which are not known yet. The hub remembers the rows of all
    /// threads until the result is dropped.
    pub(crate) fn writing_anywhere(&self) -> WritingAnywhere {
        lock(&self.hub.0.feeds).writing_anywhere += 1;
        WritingAnywhere {
            hub: self.hub.clone(),
        }
    }

    /// Sends changes of one thread, in the order of their `rev`.
    pub(crate) fn send(&self, changes: Vec<Change>) {
        self.hub.publish(changes);
    }

    /// Sends the row of a thread that another node changed to connections without a subscription, unless a newer row was
    /// sent. Register the thread as being [written](Self::writing) before its row is read.
    pub(crate) fn send_row(&self, record: ThreadRecord) {
        let rev = record.rev;
        let feed = self.hub.feed(&record.thread.id);
        if feed.is_some_and(|feed| lock(&feed).is_newest_row(rev)) {
            let change = Change::of_thread(record, rev);
            let frame = Frame::from(Update::Change(change, None));
            if let Some(record) = frame.record() {
                self.hub.broadcast_row(record, &frame);
            }
        }
    }

    /// Sends changes of one thread that a message of this user caused.
    pub(crate) fn send_from(&self, user: Option<&str>, changes: Vec<Change>) {
        self.hub.publish_from(user.map(Arc::from).as_ref(), changes);
    }
}

/// A change of a thread that is being stored. Drop it after the change has been sent.
#[derive(Debug)]
pub(crate) struct Writing {
    hub: Hub,
    thread_id: String,
    feed: Arc<Mutex<Feed>>,
}

impl Drop for Writing {
    fn drop(&mut self) {
        lock(&self.feed).end_writing();
        self.hub.tidy(&self.thread_id);
    }
}

/// A change of unknown threads that is being stored. Drop it after the change has been sent.
#[derive(Debug)]
pub(crate) struct WritingAnywhere {
    hub: Hub,
}

impl Drop for WritingAnywhere {
    fn drop(&mut self) {
        lock(&self.hub.0.feeds).end_writing_anywhere();
    }
}
