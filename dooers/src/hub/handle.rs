//! The handle to the hub.

use super::analytics_rooms::AnalyticsRooms;
use super::connection::Connection;
use super::feed::{Feed, Published};
use super::feeds::Feeds;
use super::frame::Frame;
use super::lock::lock;
use super::rooms::Rooms;
use super::settings_rooms::SettingsRooms;
use super::source::sender_of;
use crate::broker::Watched;
use crate::store::{Change, ChangeBody, Scope, ThreadRecord};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Maximum time for which a change is held while an earlier one is missing. Only a bus between processes loses changes.
pub(super) const REPAIR_AFTER: Duration = Duration::from_millis(100);

/// The subscriptions of one process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hub(pub(super) Arc<Inner>);

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) feeds: Mutex<Feeds>,
    pub(super) rooms: Mutex<Rooms>,
    pub(super) settings: Mutex<SettingsRooms>,
    pub(super) analytics: AnalyticsRooms,
    /// The topics of the broker that the connections need.
    pub(super) watched: Watched,
    /// Tasks that wait for their time.
    pub(super) timers: TaskTracker,
    pub(super) closed: CancellationToken,
}

impl Hub {
    /// Creates a hub that notes the topics of the broker which its connections need.
    pub(super) fn watching(watched: Watched) -> Self {
        Self(Arc::new(Inner {
            rooms: Mutex::new(Rooms::new(watched.clone())),
            analytics: AnalyticsRooms::new(watched.clone()),
            watched,
            ..Inner::default()
        }))
    }

    /// Sets the scope of a connection. From then on it receives the rows of the scope's threads.
    pub(crate) fn enter(&self, connection: &Arc<Connection>, scope: Scope) {
        self.leave(connection);
        let room = scope.of_everyone();
        connection.set_scope(Some(scope));
        lock(&self.0.rooms).enter(room, connection);
    }

    /// Waits until the news of a connection's place from other nodes arrive at this one. Lists that the connection reads
    /// afterwards miss no change.
    pub(crate) async fn hears(&self, scope: &Scope) {
        self.0.watched.place(scope).heard().await;
    }

    /// Removes the connection and its subscriptions.
    pub(crate) fn leave(&self, connection: &Arc<Connection>) {
        for thread_id in connection.forget_all() {
            self.drop_subscription(connection, &thread_id);
        }
        self.unsubscribe_settings(connection);
        self.unsubscribe_analytics(connection);
        let Some(scope) = connection.set_scope(None) else {
            return;
        };
        lock(&self.0.rooms).leave(&scope.of_everyone(), connection.id());
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
    pub(crate) fn has_sent(&self, connection: &Connection, thread_id: &str, rev: u64) -> bool {
        if !connection.is_subscribed(thread_id) {
            return true;
        }
        let feed = self.feed(thread_id);
        feed.and_then(|feed| lock(&feed).rev_of(connection.id()))
            .is_some_and(|sent| rev <= sent)
    }

    /// Delivers changes of one thread. If a message is among the changes, its sender caused them.
    pub(super) fn publish(&self, changes: Vec<Change>) {
        self.publish_from(sender_of(&changes).as_ref(), changes);
    }

    /// Delivers changes of one thread that a message of this user caused.
    pub(super) fn publish_from(&self, sender: Option<&Arc<str>>, changes: Vec<Change>) {
        let Some(first) = changes.first() else {
            return;
        };
        let thread_id = first.thread_id.clone();
        let feed = self.feed(&thread_id);
        let mut gone = None;
        let mut waits = None;
        for change in changes {
            let rev = change.rev;
            let is_deletion = matches!(change.body, ChangeBody::Deleted(_));
            let published = Published::new(change, sender.cloned());
            let frame = published.frame.clone();
            let mut is_newest = true;
            if let Some(feed) = &feed {
                let mut feed = lock(feed);
                feed.publish(published);
                waits = feed.waits_for();
                // A deletion marks all rows that are still to be published as older.
                is_newest = frame.record().is_some() && feed.is_newest_row(rev);
            }
            if let Some(record) = frame.record()
                && (is_newest || is_deletion)
            {
                self.broadcast_row(record, &frame);
            }
            gone = is_deletion.then_some(rev).or(gone);
        }
        if let Some(rev) = gone {
            self.close_feed(&thread_id, rev);
        } else if let (Some(feed), Some(rev)) = (feed, waits) {
            self.repair_later(feed, rev);
        }
    }

    /// Makes every subscriber of a thread continue from the store. Used if this process changed the thread and does not know the
    /// changes.
    pub(crate) fn resync(&self, thread_id: &str) {
        if let Some(feed) = self.feed(thread_id) {
            lock(&feed).resync();
        }
    }

    /// Makes every subscriber of every thread continue from the store.
    pub(crate) fn resync_all(&self) {
        let feeds: Vec<_> = lock(&self.0.feeds).by_thread.values().cloned().collect();
        for feed in feeds {
            lock(&feed).resync();
        }
    }

    /// Stops the hub's own tasks.
    pub(crate) async fn close(&self) {
        self.0.closed.cancel();
        self.0.timers.close();
        self.0.timers.wait().await;
    }

    /// Sends a thread's row to every connection that may see the thread and is not subscribed to it.
    pub(super) fn broadcast_row(&self, record: &ThreadRecord, frame: &Frame) {
        let members = lock(&self.0.rooms).members(&record.scope());
        for member in members {
            // Subscribers receive the row in order, also while the store is read for them.
            let gets_it_anyway =
                member.is_subscribed(&record.thread.id) || member.is_behind(&record.thread.id);
            if !gets_it_anyway {
                member.notify_thread(record, frame);
            }
        }
    }

    pub(super) fn close_feed(&self, thread_id: &str, rev: u64) {
        if let Some(feed) = self.feed(thread_id) {
            lock(&feed).end(rev);
        }
        self.tidy(thread_id);
    }

    pub(super) fn drop_subscription(&self, connection: &Connection, thread_id: &str) {
        if let Some(feed) = self.feed(thread_id) {
            lock(&feed).remove(connection.id());
        }
        self.tidy(thread_id);
    }

    pub(super) fn tidy(&self, thread_id: &str) {
        lock(&self.0.feeds).tidy(thread_id);
    }

    /// Returns the feed of a thread, and creates it if necessary. `begin` registers the reason why the feed is kept.
    pub(super) fn feed_of(
        &self,
        thread_id: &str,
        begin: impl FnOnce(&mut Feed),
    ) -> Arc<Mutex<Feed>> {
        let mut feeds = lock(&self.0.feeds);
        let feed = feeds.by_thread.entry(thread_id.to_owned()).or_default();
        begin(&mut lock(feed));
        Arc::clone(feed)
    }

    pub(super) fn feed(&self, thread_id: &str) -> Option<Arc<Mutex<Feed>>> {
        lock(&self.0.feeds).by_thread.get(thread_id).cloned()
    }

    /// If the missing change does not arrive in time, every subscriber continues from the store.
    pub(super) fn repair_later(&self, feed: Arc<Mutex<Feed>>, rev: u64) {
        self.later(Instant::now() + REPAIR_AFTER, move || {
            lock(&feed).give_up_waiting_for(rev);
        });
    }

    /// Calls `act` at this time, unless the hub is closed first.
    pub(super) fn later(&self, at: Instant, act: impl FnOnce() + Send + 'static) {
        let closed = self.0.closed.clone();
        self.0.timers.spawn(async move {
            tokio::select! {
                () = closed.cancelled() => {}
                () = sleep_until(at) => act(),
            }
        });
    }
}
