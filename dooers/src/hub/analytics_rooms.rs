//! The connections that are subscribed to analytics.

use super::analytics_queue::AnalyticsRoom;
use super::connection::Connection;
use super::lock::lock;
use crate::shrink::shrink;
use crate::store::Scope;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// The subscribers of one room.
pub(super) type Members = Vec<Arc<Connection>>;

/// The connections that subscribed to analytics.
#[derive(Debug, Default)]
pub(super) struct AnalyticsRooms {
    /// The number of subscriptions. It is read without the lock, so that analytics cost nothing without a subscriber.
    count: AtomicUsize,
    members: Mutex<HashMap<AnalyticsRoom, HashMap<u64, Arc<Connection>>>>,
}

impl AnalyticsRooms {
    pub(super) fn enter(&self, room: AnalyticsRoom, connection: &Arc<Connection>) {
        let mut rooms = lock(&self.members);
        let members = rooms.entry(room).or_default();
        let before = members.insert(connection.id(), Arc::clone(connection));
        if before.is_none() {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn leave(&self, room: &AnalyticsRoom, connection: &Connection) {
        let mut rooms = lock(&self.members);
        if let Some(members) = rooms.get_mut(room)
            && members.remove(&connection.id()).is_some()
        {
            self.count.fetch_sub(1, Ordering::Relaxed);
            shrink(members);
            if members.is_empty() {
                rooms.remove(room);
                shrink(&mut rooms);
            }
        }
    }

    /// Returns `true` if no connection is subscribed.
    pub(super) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// Returns the room of a scope with its members. `None` if it has none.
    pub(super) fn find(&self, scope: &Scope) -> Option<(AnalyticsRoom, Members)> {
        if self.is_empty() {
            return None;
        }
        let room = AnalyticsRoom::of(scope);
        let rooms = lock(&self.members);
        let members = rooms.get(&room)?.values().cloned().collect();
        Some((room, members))
    }

    /// The number of workers for which memory is allocated.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        lock(&self.members).capacity()
    }
}
