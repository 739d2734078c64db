//! The sessions of users, so that a program can close them.

use super::socket::{CloseReason, CloseSignal};
use crate::broker::UserKey;
use crate::shrink::shrink;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The open sessions of each user who is not anonymous.
#[derive(Debug, Default)]
pub(super) struct OpenSessions {
    by_user: Mutex<HashMap<UserKey, HashMap<u64, Arc<CloseSignal>>>>,
    disconnects: AtomicU64,
}

impl OpenSessions {
    /// The number of calls of [`disconnect`](Self::disconnect) so far.
    pub(super) fn disconnects(&self) -> u64 {
        self.disconnects.load(Ordering::SeqCst)
    }

    /// Adds the session of a user, by the id of its connection.
    pub(super) fn add(&self, user_id: &str, connection: u64, ending: &Arc<CloseSignal>) {
        if !user_id.is_empty() {
            let mut users = self.lock();
            let sessions = users.entry(UserKey::of(user_id)).or_default();
            sessions.insert(connection, Arc::clone(ending));
        }
    }

    /// Removes the session of a user.
    pub(super) fn remove(&self, user_id: &str, connection: u64) {
        let mut users = self.lock();
        let user = UserKey::of(user_id);
        if let Some(sessions) = users.get_mut(&user) {
            sessions.remove(&connection);
            if sessions.is_empty() {
                users.remove(&user);
                shrink(&mut users);
            }
        }
    }

    /// Closes all sessions of a user. Returns their number.
    ///
    /// A client that is being authenticated meanwhile may not be among them. It compares the number of
    /// [`disconnects`](Self::disconnects) before and after.
    pub(super) fn disconnect(&self, user: UserKey) -> usize {
        self.disconnects.fetch_add(1, Ordering::SeqCst);
        let users = self.lock();
        let sessions = users.get(&user).into_iter().flat_map(HashMap::values);
        sessions
            .map(|ending| ending.end(CloseReason::Revoked))
            .count()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserKey, HashMap<u64, Arc<CloseSignal>>>> {
        // Nothing panics while the lock is held.
        self.by_user.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
