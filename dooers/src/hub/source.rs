//! The user that caused changes.

use crate::protocol::Actor;
use crate::store::{Change, ChangeBody};
use std::sync::Arc;

/// The id of the user whose message is the last one among these changes.
pub(crate) fn sender_of(changes: &[Change]) -> Option<Arc<str>> {
    changes.iter().rev().find_map(|change| match &change.body {
        ChangeBody::Event(event) if event.actor == Actor::User => {
            event.user.as_ref().map(|user| user.user_id.as_str().into())
        }
        _ => None,
    })
}
