//! The topics of news.

use super::place::{PlaceKey, ThreadKey};

/// The topic of news. A broker may carry news only to the nodes that watch one of their topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// News for every node. All nodes receive them without watching the topic.
    All,
    /// The rows of the threads of a place.
    Place(PlaceKey),
    /// The content of a thread.
    Thread(ThreadKey),
}
