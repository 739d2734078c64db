//! Delivery of changes that other nodes have made.
//!
//! A node announces its changes without their contents. Subscribers that lack an announced change continue from the store,
//! like subscribers that missed a change of this node. The rows of other threads are read by the server.

use super::Hub;
use super::frame::{Frame, Update};
use super::lock::lock;
use crate::broker::{PlaceKey, ThreadNotice};
use crate::store::Scope;

impl Hub {
    /// Makes subscribers of a thread that lack the change with this `rev` continue from the store, because another node
    /// has made the change.
    pub(crate) fn changed_elsewhere(&self, thread_id: &str, rev: u64) {
        if let Some(feed) = self.feed(thread_id) {
            lock(&feed).changed_elsewhere(rev);
        }
    }

    /// Compares a thread with the `rev` that was read from the store. `None` stands for a thread that does not exist.
    ///
    /// Changes of this node that are stored and not published yet are not missing, so a thread that is being written is
    /// compared the next time.
    pub(crate) fn compare(&self, thread_id: &str, rev: Option<u64>) {
        if let Some(feed) = self.feed(thread_id) {
            lock(&feed).compare(rev);
        }
    }

    /// The ids of up to `limit` threads with live subscribers, in their order, after an id.
    pub(crate) fn subscribed_after(&self, after: &str, limit: usize) -> Vec<String> {
        let feeds: Vec<_> = {
            let feeds = lock(&self.0.feeds);
            let later = feeds.by_thread.iter().filter(|(id, _)| id.as_str() > after);
            later.map(|(id, feed)| (id.clone(), feed.clone())).collect()
        };
        let live = feeds.into_iter().filter(|(_, feed)| lock(feed).is_live());
        let mut ids: Vec<_> = live.map(|(id, _)| id).collect();
        ids.sort_unstable();
        ids.truncate(limit);
        ids
    }

    /// Up to `limit` scopes, for all viewers, in which connections list threads.
    pub(crate) fn listed_scopes(&self, limit: usize) -> Vec<Scope> {
        lock(&self.0.rooms).some(limit)
    }

    /// Returns true if the row of this thread concerns a connection that is not subscribed to the thread.
    pub(crate) fn lists(&self, place: PlaceKey, thread_id: &str) -> bool {
        let members = lock(&self.0.rooms).members_at(place);
        let mut members = members.iter();
        members.any(|member| !member.is_subscribed(thread_id))
    }

    /// Reports that another node has deleted a thread. Subscribers find out from the store.
    pub(crate) fn deleted_elsewhere(&self, notice: &ThreadNotice) {
        let ThreadNotice {
            thread_id,
            rev,
            place: Some(place),
            deleted_for: Some(participants),
        } = notice
        else {
            return;
        };
        if let Some(feed) = self.feed(thread_id) {
            // Rows that are still to be published are older.
            lock(&feed).is_newest_row(*rev);
        }
        let members = lock(&self.0.rooms).members_at(*place);
        let frame = Frame::from(Update::Deleted(thread_id.clone()));
        for member in members {
            member.notify_deleted(thread_id, participants, &frame);
        }
    }
}
