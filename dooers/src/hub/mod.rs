//! Delivery of frames to subscribed connections.
//!
//! The changes of a thread are delivered strictly in the order of their `rev`. A change that arrives early is held. A change
//! that a subscriber already has is skipped for it. Missing changes, and changes that did not fit into the queue of a slow
//! reader, are read from the store by the session of the connection.

mod connection;
mod feed;
mod outbound;
mod sender;
mod settings;
#[cfg(test)]
mod tests;
mod text;
mod total;

pub(crate) use connection::{Backlog, Connection};
pub(crate) use outbound::{Frame, OutboundLimits};
pub(crate) use sender::ChangeSender;
pub(crate) use settings::PublishedSetting;
pub(crate) use text::GrowingText;
pub(crate) use total::OutboundTotal;

use crate::protocol::{Actor, ServerFrame, ShownThread};
use crate::shrink::shrink;
use crate::store::{Change, ChangeBody, Position, Scope, ThreadRecord};
use feed::{Feed, Published, Subscription};
use settings::SettingsRooms;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Maximum time for which a change is held while an earlier one is missing. Only a bus between processes loses changes.
const REPAIR_AFTER: Duration = Duration::from_millis(100);

/// The subscriptions of one process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hub(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    feeds: Mutex<Feeds>,
    /// The connections of each agent, worker, organization and workspace.
    rooms: Mutex<HashMap<Scope, HashMap<u64, Arc<Connection>>>>,
    settings: Mutex<SettingsRooms>,
    /// Tasks that wait for their time.
    timers: TaskTracker,
    closed: CancellationToken,
}

/// The feeds of all threads that are being read or written.
#[derive(Debug, Default)]
struct Feeds {
    by_thread: HashMap<String, Arc<Mutex<Feed>>>,
    /// The number of operations that are storing changes of threads which are not known yet.
    writing_anywhere: usize,
    /// Threads with idle feeds that are kept until these changes have been published.
    kept: HashSet<String>,
}

impl Feeds {
    /// Removes the feed of a thread that is neither read nor written.
    fn tidy(&mut self, thread_id: &str) {
        let feed = self.by_thread.get(thread_id);
        if !feed.is_some_and(|feed| lock(feed).is_idle()) {
            return;
        }
        if self.writing_anywhere > 0 {
            self.kept.insert(thread_id.to_owned());
        } else {
            self.by_thread.remove(thread_id);
            shrink(&mut self.by_thread);
        }
    }

    fn end_writing_anywhere(&mut self) {
        self.writing_anywhere -= 1;
        if self.writing_anywhere == 0 {
            for thread_id in std::mem::take(&mut self.kept) {
                self.tidy(&thread_id);
            }
        }
    }
}

impl Hub {
    /// A hub without connections, and the only sender of changes to it.
    pub(crate) fn new() -> (Self, ChangeSender) {
        let hub = Self::default();
        (hub.clone(), ChangeSender::new(hub))
    }

    /// Sets the scope of a connection. From then on it receives the rows of the scope's threads.
    pub(crate) fn enter(&self, connection: &Arc<Connection>, scope: Scope) {
        self.leave(connection);
        let room = scope.of_everyone();
        connection.set_scope(Some(scope));
        lock(&self.0.rooms)
            .entry(room)
            .or_default()
            .insert(connection.id(), Arc::clone(connection));
    }

    /// Forgets the connection and its subscriptions.
    pub(crate) fn leave(&self, connection: &Arc<Connection>) {
        for thread_id in connection.forget_all() {
            self.drop_subscription(connection, &thread_id);
        }
        self.unsubscribe_settings(connection);
        let Some(scope) = connection.set_scope(None) else {
            return;
        };
        let mut rooms = lock(&self.0.rooms);
        let room = scope.of_everyone();
        if let Some(members) = rooms.get_mut(&room) {
            members.remove(&connection.id());
            shrink(members);
            if members.is_empty() {
                rooms.remove(&room);
                shrink(&mut rooms);
            }
        }
    }

    /// Starts a subscription. From now on the changes of the thread are kept, until [`Join::settle`] sets the position from which
    /// the connection receives them.
    pub(crate) fn join(&self, connection: &Arc<Connection>, thread_id: &str) -> Join {
        let mut reading = 0;
        let feed = self.feed_of(thread_id, |feed| reading = feed.begin_joining());
        Join {
            reading,
            hub: self.clone(),
            thread_id: thread_id.to_owned(),
            connection: Arc::clone(connection),
            feed,
        }
    }

    /// Ends a subscription.
    pub(crate) fn unsubscribe(&self, connection: &Arc<Connection>, thread_id: &str) {
        if connection.forget(thread_id) {
            self.drop_subscription(connection, thread_id);
        }
    }

    /// Returns true if a subscribed connection was sent the thread at least up to this `seq`. It receives later events in order.
    pub(crate) fn was_sent(&self, connection: &Connection, thread_id: &str, seq: u64) -> bool {
        let feed = self.feed(thread_id);
        let live = feed.and_then(|feed| lock(&feed).last_seq_of(connection.id()));
        let behind = || connection.behind(thread_id).map(|behind| behind.last_seq);
        live.or_else(behind).is_some_and(|last_seq| seq <= last_seq)
    }

    /// Returns true if a connection was sent all changes of a thread up to this one, or is not subscribed to the thread.
    pub(crate) fn has_told(&self, connection: &Connection, thread_id: &str, rev: u64) -> bool {
        if !connection.is_subscribed(thread_id) {
            return true;
        }
        let feed = self.feed(thread_id);
        feed.and_then(|feed| lock(&feed).rev_of(connection.id()))
            .is_some_and(|told| rev <= told)
    }

    /// Delivers changes of one thread. If a message is among the changes, its sender caused them.
    fn publish(&self, changes: Vec<Change>) {
        let sender = sender_of(&changes).map(str::to_owned);
        self.publish_from(sender.as_deref(), changes);
    }

    /// Delivers changes of one thread that a message of this user caused.
    fn publish_from(&self, sender: Option<&str>, changes: Vec<Change>) {
        let Some(first) = changes.first() else {
            return;
        };
        let thread_id = first.thread_id.clone();
        let feed = self.feed(&thread_id);
        let mut gone = None;
        let mut waits = None;
        let tells_room =
            |body: &ChangeBody| matches!(body, ChangeBody::Thread(_) | ChangeBody::Deleted(_));
        let is_newest = |change: &Change| {
            feed.as_ref()
                .is_none_or(|feed| lock(feed).is_newest_row(change.rev))
        };
        for change in changes {
            if feed.is_none() && !tells_room(&change.body) {
                // The thread has no subscribers.
                continue;
            }
            let published = Published::new(&change, sender);
            if let Some(feed) = &feed {
                let mut feed = lock(feed);
                feed.publish(published.clone());
                waits = feed.waits_for();
            }
            match &change.body {
                ChangeBody::Thread(record) if is_newest(&change) => {
                    self.tell_room(record, &published.frame);
                }
                ChangeBody::Deleted(record) => {
                    // Marks all rows that are still to be published as older.
                    is_newest(&change);
                    self.tell_room(record, &published.frame);
                    gone = Some(change.rev);
                }
                ChangeBody::Thread(_) | ChangeBody::Event(_) | ChangeBody::Run(_) => {}
            }
        }
        if let Some(rev) = gone {
            self.close_feed(&thread_id, rev);
        } else if let (Some(feed), Some(rev)) = (feed, waits) {
            self.repair_later(feed, rev);
        }
    }

    /// Makes every subscriber of a thread continue from the store. Used if this process changed the thread and does not know the
    /// changes.
    pub(crate) fn read_on(&self, thread_id: &str) {
        if let Some(feed) = self.feed(thread_id) {
            lock(&feed).read_on();
        }
    }

    /// The same for all threads.
    pub(crate) fn read_on_everywhere(&self) {
        let feeds: Vec<_> = lock(&self.0.feeds).by_thread.values().cloned().collect();
        for feed in feeds {
            lock(&feed).read_on();
        }
    }

    /// Stops the hub's own tasks.
    pub(crate) async fn close(&self) {
        self.0.closed.cancel();
        self.0.timers.close();
        self.0.timers.wait().await;
    }

    /// Sends a thread's row to every connection that may see the thread and is not subscribed to it.
    fn tell_room(&self, record: &ThreadRecord, frame: &Frame) {
        let members: Vec<_> = match lock(&self.0.rooms).get(&record.scope()) {
            Some(members) => members.values().cloned().collect(),
            None => return,
        };
        for member in members {
            // Subscribers receive the row in order, also while the store is read for them.
            let gets_it_anyway =
                member.is_subscribed(&record.thread.id) || member.is_behind(&record.thread.id);
            if !gets_it_anyway && member.may_see(&record.participants) {
                member.tell_of_thread(&record.thread.id, frame);
            }
        }
    }

    fn close_feed(&self, thread_id: &str, rev: u64) {
        if let Some(feed) = self.feed(thread_id) {
            lock(&feed).end(rev);
        }
        self.tidy(thread_id);
    }

    fn drop_subscription(&self, connection: &Connection, thread_id: &str) {
        if let Some(feed) = self.feed(thread_id) {
            lock(&feed).remove(connection.id());
        }
        self.tidy(thread_id);
    }

    fn tidy(&self, thread_id: &str) {
        lock(&self.0.feeds).tidy(thread_id);
    }

    /// Returns the feed of a thread, and creates it if necessary. `begin` registers the reason why the feed is kept.
    fn feed_of(&self, thread_id: &str, begin: impl FnOnce(&mut Feed)) -> Arc<Mutex<Feed>> {
        let mut feeds = lock(&self.0.feeds);
        let feed = feeds.by_thread.entry(thread_id.to_owned()).or_default();
        begin(&mut lock(feed));
        Arc::clone(feed)
    }

    fn feed(&self, thread_id: &str) -> Option<Arc<Mutex<Feed>>> {
        lock(&self.0.feeds).by_thread.get(thread_id).cloned()
    }

    /// If the missing change does not arrive in time, every subscriber continues from the store.
    fn repair_later(&self, feed: Arc<Mutex<Feed>>, rev: u64) {
        self.later(Instant::now() + REPAIR_AFTER, move || {
            lock(&feed).give_up_waiting_for(rev);
        });
    }

    /// Calls `act` at this time, unless the hub is closed first.
    fn later(&self, at: Instant, act: impl FnOnce() + Send + 'static) {
        let closed = self.0.closed.clone();
        self.0.timers.spawn(async move {
            tokio::select! {
                () = closed.cancelled() => {}
                () = sleep_until(at) => act(),
            }
        });
    }
}

/// A subscription that has started and does not deliver yet. Dropping it ends the subscription.
#[derive(Debug)]
pub(crate) struct Join {
    hub: Hub,
    thread_id: String,
    connection: Arc<Connection>,
    feed: Arc<Mutex<Feed>>,
    /// The value of [`Feed::begin_joining`].
    reading: u64,
}

impl Join {
    /// Sends these frames, and then every change above the position as it is published.
    pub(crate) fn settle(self, first: impl IntoIterator<Item = Frame>, position: Position) {
        self.connection.remember(&self.thread_id);
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
    pub(crate) fn settle_behind(self, first: impl IntoIterator<Item = Frame>, position: Position) {
        self.connection.remember(&self.thread_id);
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

impl Drop for Join {
    fn drop(&mut self) {
        lock(&self.feed).end_joining();
        self.hub.tidy(&self.thread_id);
    }
}

/// The id of the user whose message is the last one among these changes.
pub(crate) fn sender_of(changes: &[Change]) -> Option<&str> {
    changes.iter().rev().find_map(|change| match &change.body {
        ChangeBody::Event(event) if event.actor == Actor::User => {
            event.user.as_ref().map(|user| &*user.user_id)
        }
        _ => None,
    })
}

/// The frame of a change, which a message of this user caused, if any.
pub(crate) fn frame_of(change: &Change, sender: Option<&str>) -> Frame {
    let thread_id = &change.thread_id;
    let text = match &change.body {
        ChangeBody::Thread(record) => ServerFrame::ThreadUpsert {
            thread: ShownThread::new(&record.thread, sender),
        }
        .encode(),
        ChangeBody::Event(event) => ServerFrame::EventAppend {
            thread_id,
            events: &[event],
        }
        .encode(),
        ChangeBody::Run(run) => ServerFrame::RunUpsert { run }.encode(),
        ChangeBody::Deleted(_) => ServerFrame::ThreadDeleted { thread_id }.encode(),
    };
    Frame::from(text)
}

/// Locks a mutex. No code of the hub panics while it holds a lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
