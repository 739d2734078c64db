//! The connections that are subscribed to analytics.

use super::analytics_queue::AnalyticsRoom;
use super::connection::Connection;
use super::lock::lock;
use crate::broker::{PlaceKey, Watch, Watched};
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
    rooms: Mutex<HashMap<AnalyticsRoom, RoomMembers>>,
    watched: Watched,
}

#[derive(Debug)]
struct RoomMembers {
    place: PlaceKey,
    /// Other nodes send the events of the place to this one.
    watch: Watch,
    by_id: HashMap<u64, Arc<Connection>>,
}

impl AnalyticsRooms {
    pub(super) fn new(watched: Watched) -> Self {
        Self {
            watched,
            ..Self::default()
        }
    }

    /// Adds a connection. The result shows when the events of other nodes arrive.
    pub(super) fn enter(&self, scope: &Scope, connection: &Arc<Connection>) -> Watch {
        let mut rooms = lock(&self.rooms);
        let members = rooms
            .entry(AnalyticsRoom::of(scope))
            .or_insert_with(|| RoomMembers {
                place: PlaceKey::of_analytics(scope),
                watch: self.watched.analytics(scope),
                by_id: HashMap::new(),
            });
        let before = members
            .by_id
            .insert(connection.id(), Arc::clone(connection));
        if before.is_none() {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        members.watch.clone()
    }

    pub(super) fn leave(&self, room: &AnalyticsRoom, connection: &Connection) {
        let mut rooms = lock(&self.rooms);
        if let Some(members) = rooms.get_mut(room)
            && members.by_id.remove(&connection.id()).is_some()
        {
            self.count.fetch_sub(1, Ordering::Relaxed);
            shrink(&mut members.by_id);
            if members.by_id.is_empty() {
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
        let rooms = lock(&self.rooms);
        let members = rooms.get(&room)?.by_id.values().cloned().collect();
        Some((room, members))
    }

    /// Returns the room of this place with its members. `None` if it has none.
    pub(super) fn find_at(&self, place: PlaceKey) -> Option<(AnalyticsRoom, Members)> {
        let rooms = lock(&self.rooms);
        let mut rooms = rooms.iter();
        let (room, members) = rooms.find(|(_, members)| members.place == place)?;
        Some((room.clone(), members.by_id.values().cloned().collect()))
    }

    /// The places with subscribers.
    pub(super) fn places(&self) -> Vec<PlaceKey> {
        let rooms = lock(&self.rooms);
        rooms.values().map(|members| members.place).collect()
    }

    /// The number of workers for which memory is allocated.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        lock(&self.rooms).capacity()
    }
}
