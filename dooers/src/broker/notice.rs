//! The announcements of changes of a thread and of settings.

use super::place::{ParticipantKey, PlaceKey};
use crate::store::{Change, ChangeBody, ThreadRecord, WorkerKey};
use serde::{Deserialize, Serialize};

/// The announcement that a thread has changed up to a `rev`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ThreadNotice {
    #[serde(rename = "t")]
    pub(crate) thread_id: String,
    #[serde(rename = "r")]
    pub(crate) rev: u64,
    /// The place of the thread, if its row changed or the thread was deleted.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<PlaceKey>,
    /// The participants of a thread that was deleted. A thread with many participants has several notices.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub(crate) deleted_for: Option<Vec<ParticipantKey>>,
}

/// The announcement that the settings of a worker have changed. Values are never sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct SettingsNotice {
    #[serde(rename = "a")]
    agent: String,
    #[serde(rename = "w")]
    worker_id: String,
}

impl SettingsNotice {
    pub(crate) fn of(worker: &WorkerKey) -> Self {
        Self {
            agent: worker.agent.clone(),
            worker_id: worker.worker_id.clone(),
        }
    }

    pub(crate) fn into_worker(self) -> WorkerKey {
        WorkerKey {
            agent: self.agent,
            worker_id: self.worker_id,
        }
    }
}

impl ThreadNotice {
    /// Announces changes of one thread. `None` without changes.
    pub(crate) fn of(changes: &[Change]) -> Option<Self> {
        let mut notice = Self {
            thread_id: changes.first()?.thread_id.clone(),
            rev: 0,
            place: None,
            deleted_for: None,
        };
        for change in changes {
            notice.rev = notice.rev.max(change.rev);
            if let Some(record) = change.record() {
                notice.place = Some(PlaceKey::of(&record.scope()));
            }
            if let ChangeBody::Deleted(record) = &change.body {
                notice.deleted_for = Some(keys_of(record));
            }
        }
        Some(notice)
    }

    /// Announces the state of a thread that this node may have changed, as it was read from the store. `None` stands for a
    /// thread that does not exist.
    pub(crate) fn of_state(thread_id: &str, record: Option<&ThreadRecord>) -> Self {
        Self {
            thread_id: thread_id.to_owned(),
            // Subscribers find the deletion in the store.
            rev: record.map_or(u64::MAX, |record| record.rev),
            place: record.map(|record| PlaceKey::of(&record.scope())),
            deleted_for: None,
        }
    }

    /// Announces the deletion of a thread whose row was read before.
    pub(crate) fn deletion_of(record: &ThreadRecord) -> Self {
        Self {
            deleted_for: Some(keys_of(record)),
            ..Self::of_state(&record.thread.id, Some(record))
        }
    }

    /// Adds a notice of the same thread.
    pub(super) fn merge(&mut self, other: Self) {
        self.rev = self.rev.max(other.rev);
        self.place = self.place.or(other.place);
        self.deleted_for = self.deleted_for.take().or(other.deleted_for);
    }
}

fn keys_of(record: &ThreadRecord) -> Vec<ParticipantKey> {
    let participants = record.participants.iter();
    participants.map(ParticipantKey::of).collect()
}
