//! Hashes of scopes, threads and participants, so that messages contain no ids of users and organizations.

use crate::store::{Participant, Scope};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A hash of the agent, worker, organization and workspace of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct PlaceKey(u64);

/// A hash of a participant of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ParticipantKey(u64);

#[cfg_attr(
    not(test),
    allow(dead_code, reason = "the broker with a subject for each topic uses it")
)]
/// A hash of the id of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ThreadKey(u64);

impl ThreadKey {
    #[cfg_attr(
        not(test),
        allow(dead_code, reason = "the broker with a subject for each topic uses it")
    )]
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
}

impl ParticipantKey {
    pub(crate) fn of(participant: &Participant) -> Self {
        Self(hash(&[participant.as_str()]))
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
    }
}
