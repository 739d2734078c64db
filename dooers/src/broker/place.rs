//! Hashes of scopes, threads and participants, so that messages contain no ids of users and organizations.

use crate::store::{Participant, Scope};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// A hash of the agent, worker, organization and workspace of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct PlaceKey(u64);

/// A hash of a participant of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ParticipantKey(u64);

/// A hash of the id of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct UserKey(u64);

/// A hash of the id of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ThreadKey(u64);

impl ThreadKey {
    pub(crate) fn of(thread_id: &str) -> Self {
        Self(hash(&[thread_id]))
    }
}

impl PlaceKey {
    /// The place of this scope. Its viewer does not matter.
    pub(crate) fn of(scope: &Scope) -> Self {
        let Scope {
            agent,
            worker_id,
            organization_id,
            workspace_id,
            viewer: _,
        } = scope;
        Self(hash(&[agent, worker_id, organization_id, workspace_id]))
    }

    /// The place of the worker's analytics in the organization of this scope.
    pub(crate) fn of_analytics(scope: &Scope) -> Self {
        Self(hash(&[
            &scope.agent,
            &scope.worker_id,
            &scope.organization_id,
        ]))
    }
}

impl UserKey {
    pub(crate) fn of(user_id: &str) -> Self {
        Self(hash(&[user_id]))
    }
}

impl ParticipantKey {
    pub(crate) fn of(participant: &Participant) -> Self {
        Self(hash(&[participant.as_str()]))
    }
}

impl fmt::LowerHex for PlaceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}

impl fmt::LowerHex for ThreadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}

/// The hash is the same in every process and every version. The lengths separate the texts.
pub(super) fn hash(texts: &[&str]) -> u64 {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    let digest = digest.finalize();
    let first = digest.iter().take(8);
    first.fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Viewer;

    #[test]
    fn place_is_that_of_the_thread_for_every_viewer() {
        let scope = Scope::new("a", "w").organization("o").workspace("s");
        let viewer = Viewer::Only(Participant::connection("c"));
        let private = Scope {
            viewer,
            ..scope.clone()
        };
        assert_eq!(PlaceKey::of(&scope), PlaceKey::of(&private));
        let moved = Scope::new("aw", "").organization("o").workspace("s");
        assert_ne!(PlaceKey::of(&scope), PlaceKey::of(&moved));
        let analytics = PlaceKey::of_analytics(&scope);
        assert_ne!(analytics, PlaceKey::of(&scope));
        let elsewhere = scope.clone().workspace("t");
        assert_eq!(analytics, PlaceKey::of_analytics(&elsewhere));
        let other = scope.organization("p");
        assert_ne!(analytics, PlaceKey::of_analytics(&other));
    }
}
