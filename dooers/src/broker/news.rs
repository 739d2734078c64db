//! The news that a node sends to the other nodes.

use super::live_analytics::AnalyticsNews;
use super::notice::{SettingsNotice, ThreadNotice};
use super::place::{PlaceKey, ThreadKey, UserKey};
use super::spent::{AccountKey, SharedRate, SpentNotice};
use super::text_piece::TextPiece;
use super::topic::Topic;
use serde::{Deserialize, Serialize};

/// Maximum number of participants, or of places, in one notice.
const KEYS: usize = 200;

/// One piece of news for the other nodes. It may be lost, repeated and overtaken by later news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum News {
    /// A thread has changed.
    #[serde(rename = "t")]
    Thread(ThreadNotice),
    /// The turn of this message must be looked up in the store.
    #[serde(rename = "q")]
    Turn(String),
    /// Turns are queued in threads in which no turn runs, because their node stops.
    #[serde(rename = "w")]
    Waiting,
    /// A user has spent a part of a rate.
    #[serde(rename = "u")]
    Spent(SpentNotice),
    /// A streamed text has grown.
    #[serde(rename = "x")]
    Text(TextPiece),
    /// The settings of a worker have changed.
    #[serde(rename = "c")]
    Settings(SettingsNotice),
    /// The connections of a user must be closed.
    #[serde(rename = "d")]
    Disconnect(UserKey),
    /// Analytics events for subscribers.
    #[serde(rename = "a")]
    Analytics(AnalyticsNews),
    /// The sending node has subscribers for the analytics of these places.
    #[serde(rename = "l")]
    AnalyticsSubscribers(Vec<PlaceKey>),
    /// The node with this id is alive.
    #[serde(rename = "h")]
    Alive(String),
    /// Any thread and any setting may have changed.
    #[serde(rename = "e")]
    Everything,
}

/// Identifies news that can be merged while they wait.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum MergeKey {
    Thread(String),
    Turn(String),
    Settings(SettingsNotice),
    Disconnect(UserKey),
    Analytics(PlaceKey),
    AnalyticsSubscribers,
    /// The event of a text.
    Text(String),
    Waiting,
    Spent(AccountKey, SharedRate),
    Alive,
    Everything,
}

impl News {
    /// News with the same key can be merged.
    pub(super) fn merge_key(&self) -> MergeKey {
        match self {
            Self::Thread(notice) => MergeKey::Thread(notice.thread_id.clone()),
            Self::Turn(event_id) => MergeKey::Turn(event_id.clone()),
            Self::Settings(notice) => MergeKey::Settings(notice.clone()),
            Self::Disconnect(user) => MergeKey::Disconnect(*user),
            Self::Analytics(news) => MergeKey::Analytics(news.place),
            Self::AnalyticsSubscribers(_) => MergeKey::AnalyticsSubscribers,
            Self::Text(piece) => MergeKey::Text(piece.event_id.clone()),
            Self::Waiting => MergeKey::Waiting,
            Self::Spent(notice) => MergeKey::Spent(notice.account, notice.rate),
            // A node announces only itself.
            Self::Alive(_) => MergeKey::Alive,
            Self::Everything => MergeKey::Everything,
        }
    }

    /// Adds later news with the same key.
    pub(super) fn merge(&mut self, later: Self) {
        match (self, later) {
            (Self::Thread(notice), Self::Thread(later)) => notice.merge(later),
            (Self::Spent(notice), Self::Spent(later)) => notice.merge(&later),
            (Self::Text(piece), Self::Text(later)) => piece.merge(later),
            (Self::Analytics(news), Self::Analytics(later)) => news.merge(later),
            (Self::AnalyticsSubscribers(places), Self::AnalyticsSubscribers(later)) => {
                places.extend(later);
                places.sort_unstable();
                places.dedup();
            }
            // They are the same.
            _ => {}
        }
    }

    /// The topics whose watchers must hear the news.
    pub(super) fn topics(&self) -> Vec<Topic> {
        match self {
            // A node that runs a turn in a deleted thread need not watch the thread.
            Self::Thread(notice) if notice.deleted_for.is_some() => vec![Topic::All],
            Self::Thread(notice) => {
                let thread = Topic::Thread(ThreadKey::of(&notice.thread_id));
                let place = notice.place.map(Topic::Place);
                [thread].into_iter().chain(place).collect()
            }
            Self::Text(piece) => vec![Topic::Thread(ThreadKey::of(&piece.thread_id))],
            Self::Analytics(news) => vec![Topic::Place(news.place)],
            Self::Turn(_)
            | Self::Waiting
            | Self::Spent(_)
            | Self::Settings(_)
            | Self::Disconnect(_)
            | Self::AnalyticsSubscribers(_)
            | Self::Alive(_)
            | Self::Everything => vec![Topic::All],
        }
    }

    /// Divides news that may be too large for a message.
    pub(super) fn into_parts(self) -> Vec<Self> {
        match self {
            Self::Thread(mut notice) => match notice.deleted_for.take() {
                Some(all) if all.len() > KEYS => {
                    let part = |part: &[_]| {
                        let mut notice = notice.clone();
                        notice.deleted_for = Some(part.to_vec());
                        Self::Thread(notice)
                    };
                    all.chunks(KEYS).map(part).collect()
                }
                deleted_for => {
                    notice.deleted_for = deleted_for;
                    vec![Self::Thread(notice)]
                }
            },
            Self::Analytics(news) => {
                let parts = news.into_parts().into_iter();
                parts.map(Self::Analytics).collect()
            }
            Self::AnalyticsSubscribers(places) => {
                let parts = places.chunks(KEYS).map(<[_]>::to_vec);
                parts.map(Self::AnalyticsSubscribers).collect()
            }
            Self::Text(piece) => piece.into_parts().into_iter().map(Self::Text).collect(),
            other => vec![other],
        }
    }

    /// The news that are sent instead of too many. Connections that must be closed stay, because the database does not contain
    /// them.
    pub(super) fn instead_of(too_many: Vec<Self>) -> Vec<Self> {
        let mut rest = too_many;
        rest.retain(|news| matches!(news, Self::Disconnect(_)));
        rest.push(Self::Everything);
        rest
    }

    /// The number of bytes of streamed text.
    pub(super) fn text_bytes(&self) -> usize {
        match self {
            Self::Text(piece) => piece.text.len(),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{ParticipantKey, PlaceKey};
    use crate::store::{Participant, Scope};

    fn notice() -> ThreadNotice {
        ThreadNotice {
            thread_id: "t".to_owned(),
            rev: 3,
            place: None,
            deleted_for: None,
        }
    }

    #[test]
    fn deletion_with_many_participants_is_divided() {
        let key = |n| ParticipantKey::of(&Participant::connection(&format!("c{n}")));
        let keys: Vec<_> = (0..2 * KEYS + 1).map(key).collect();
        let deleted = |keys: &[ParticipantKey]| {
            News::Thread(ThreadNotice {
                deleted_for: Some(keys.to_vec()),
                ..notice()
            })
        };
        let expected: Vec<_> = keys.chunks(KEYS).map(deleted).collect();
        assert_eq!(deleted(&keys).into_parts(), expected);
        assert_eq!(deleted(&[]).into_parts(), [deleted(&[])]);
    }

    #[test]
    fn change_is_heard_where_it_is_seen() {
        let place = PlaceKey::of(&Scope::new("a", "w"));
        let thread = Topic::Thread(ThreadKey::of("t"));
        let of = |place, deleted_for| {
            News::Thread(ThreadNotice {
                place,
                deleted_for,
                ..notice()
            })
            .topics()
        };
        assert_eq!(of(None, None), [thread]);
        assert_eq!(of(Some(place), None), [thread, Topic::Place(place)]);
        assert_eq!(of(Some(place), Some(Vec::new())), [Topic::All]);
        assert_eq!(News::Turn("e".to_owned()).topics(), [Topic::All]);
    }
}
