//! The connections of each place.

use super::connection::Connection;
use crate::broker::{PlaceKey, Watch, Watched};
use crate::shrink::shrink;
use crate::store::Scope;
use std::collections::HashMap;
use std::sync::Arc;

/// The connections of each agent, worker, organization and workspace.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    members: HashMap<Scope, HashMap<u64, Arc<Connection>>>,
    /// The rooms by the hashes that other nodes send, which send the news of these rooms to this one.
    by_key: HashMap<PlaceKey, (Scope, Watch)>,
    watched: Watched,
}

impl Rooms {
    pub(super) fn new(watched: Watched) -> Self {
        Self {
            watched,
            ..Self::default()
        }
    }

    /// Adds a connection to the room of a scope for all viewers.
    pub(super) fn enter(&mut self, room: Scope, connection: &Arc<Connection>) {
        if !self.members.contains_key(&room) {
            let named = (room.clone(), self.watched.place(&room));
            self.by_key.insert(PlaceKey::of(&room), named);
        }
        let members = self.members.entry(room).or_default();
        members.insert(connection.id(), Arc::clone(connection));
    }

    /// Removes a connection from a room.
    pub(super) fn leave(&mut self, room: &Scope, connection_id: u64) {
        let Some(members) = self.members.get_mut(room) else {
            return;
        };
        members.remove(&connection_id);
        shrink(members);
        if members.is_empty() {
            self.members.remove(room);
            shrink(&mut self.members);
            self.by_key.remove(&PlaceKey::of(room));
            shrink(&mut self.by_key);
        }
    }

    /// The connections of a room.
    pub(super) fn members(&self, room: &Scope) -> Vec<Arc<Connection>> {
        let members = self.members.get(room).into_iter();
        members.flat_map(HashMap::values).cloned().collect()
    }

    /// The connections of the room with this hash.
    pub(super) fn members_at(&self, place: PlaceKey) -> Vec<Arc<Connection>> {
        let room = self.by_key.get(&place);
        room.map(|(room, _)| self.members(room)).unwrap_or_default()
    }

    /// Up to `limit` rooms with connections.
    pub(super) fn some(&self, limit: usize) -> Vec<Scope> {
        self.members.keys().take(limit).cloned().collect()
    }

    /// The number of rooms for which memory is allocated.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.members.capacity() + self.by_key.capacity()
    }
}
