//! A thread as frames show it.

use super::timestamp;
use super::{MAX_SHOWN_USERS, Thread, User};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

/// A [`Thread`] as frames show it: with at most [`MAX_SHOWN_USERS`] of its users.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ThreadView<'a> {
    id: &'a str,
    worker_id: &'a str,
    agent_id: &'a str,
    organization_id: &'a str,
    workspace_id: &'a str,
    owner: &'a User,
    users: Vec<&'a User>,
    #[serde(skip_serializing_if = "Option::is_none")]
    users_total: Option<usize>,
    title: Option<&'a str>,
    metadata: Option<&'a Value>,
    #[serde(with = "timestamp")]
    created_at: DateTime<Utc>,
    #[serde(with = "timestamp")]
    updated_at: DateTime<Utc>,
    #[serde(with = "timestamp")]
    last_event_at: DateTime<Utc>,
}

impl<'a> ThreadView<'a> {
    /// Creates the view of a thread. If there are too many users, it contains the owner, the sender and those who wrote
    /// first.
    ///
    /// `sender` is the `user_id` of the user whose message causes the frame.
    #[must_use]
    pub(crate) fn new(thread: &'a Thread, sender: Option<&str>) -> Self {
        // There is no `..`, so that a new member of a thread cannot be forgotten here.
        let Thread {
            id,
            worker_id,
            agent_id,
            organization_id,
            workspace_id,
            owner,
            users,
            title,
            metadata,
            created_at,
            updated_at,
            last_event_at,
        } = thread;
        Self {
            id,
            worker_id,
            agent_id,
            organization_id,
            workspace_id,
            owner,
            users: shortened(users, &owner.user_id, sender),
            users_total: (users.len() > MAX_SHOWN_USERS).then_some(users.len()),
            title: title.as_deref(),
            metadata: metadata.as_ref(),
            created_at: *created_at,
            updated_at: *updated_at,
            last_event_at: *last_event_at,
        }
    }
}

impl Thread {
    /// The thread as frames show it, with at most [`MAX_SHOWN_USERS`] of its users.
    pub(crate) fn shown(mut self, sender: Option<&str>) -> Self {
        if self.users.len() > MAX_SHOWN_USERS {
            let users = shortened(&self.users, &self.owner.user_id, sender);
            self.users = users.into_iter().cloned().collect();
        }
        self
    }
}

/// The first users for whom there is room, in their order. The owner and the sender are always among them.
fn shortened<'a>(users: &'a [User], owner: &str, sender: Option<&str>) -> Vec<&'a User> {
    let is_kept = |user: &User| user.user_id == owner || Some(&*user.user_id) == sender;
    let kept = users.iter().filter(|user| is_kept(user)).count();
    let mut room = MAX_SHOWN_USERS.saturating_sub(kept);
    let has_place = |user: &&User| {
        if is_kept(user) {
            return true;
        }
        let has_room = room > 0;
        room = room.saturating_sub(1);
        has_room
    };
    users.iter().filter(has_place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(users: usize, owner: &str) -> Thread {
        let id = |number| format!("u{number}");
        Thread {
            owner: User::new(owner),
            users: (0..users).map(id).map(User::new).collect(),
            ..Thread::of_nobody()
        }
    }

    fn ids<'a>(shown: &ThreadView<'a>) -> Vec<&'a str> {
        shown.users.iter().map(|user| &*user.user_id).collect()
    }

    #[test]
    fn frame_of_100_users_has_all_of_them() {
        for users in [0, 1, 99, 100] {
            let thread = thread(users, "u0");
            let shown = ThreadView::new(&thread, Some("u7"));
            assert_eq!(shown.users.len(), users);
            assert_eq!(shown.users_total, None);
            let (shown, whole) = (
                serde_json::to_value(&shown).unwrap(),
                serde_json::to_value(&thread).unwrap(),
            );
            assert_eq!(shown, whole);
        }
    }

    #[test]
    fn frame_of_more_users_has_100_and_their_number() {
        for users in [101, 150, 2000] {
            let first: Vec<_> = (0..100).map(|number| format!("u{number}")).collect();
            let thread = thread(users, "u0");
            let shown = ThreadView::new(&thread, None);
            assert_eq!(ids(&shown), first);
            assert_eq!(shown.users_total, Some(users));
            let shown = ThreadView::new(&thread, Some("u99"));
            assert_eq!(ids(&shown), first);
            let users = thread.shown(None).users;
            assert_eq!(users.len(), 100);
            assert_eq!(users.last().unwrap().user_id, "u99");
        }
    }

    #[test]
    fn frame_always_has_the_owner_and_the_sender() {
        let thread = thread(2000, "u1500");
        let shown = ThreadView::new(&thread, Some("u1999"));
        assert_eq!(shown.users.len(), 100);
        assert_eq!(ids(&shown)[97..], ["u97", "u1500", "u1999"]);
        let shown = ThreadView::new(&thread, Some("u1500"));
        assert_eq!(ids(&shown)[98..], ["u98", "u1500"]);
        // A user who does not participate, and an anonymous user.
        for sender in ["stranger", ""] {
            let shown = ThreadView::new(&thread, Some(sender));
            assert_eq!(ids(&shown)[98..], ["u98", "u1500"]);
        }
    }
}
