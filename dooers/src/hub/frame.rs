//! Frames on their way to clients.

use crate::protocol::{ServerFrame, ThreadEvent, ThreadView, json_bytes};
use crate::store::{Change, ChangeBody, ThreadRecord};
use std::sync::{Arc, OnceLock};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Estimated size in bytes of all members of an update that have a small limit, such as ids and times.
const SMALL_MEMBERS: usize = 512;

/// Size in bytes of a text part without its text.
const TEXT_PART: usize = r#"{"type":"text","text":""},"#.len();

/// A frame for a client. Clones share its content.
#[derive(Debug, Clone)]
pub(crate) struct Frame(Content);

#[derive(Debug, Clone)]
enum Content {
    Json(Utf8Bytes),
    Update(Arc<SharedUpdate>),
}

/// An update that is shared by its readers. It is encoded when the first reader needs its JSON.
#[derive(Debug)]
struct SharedUpdate {
    update: Update,
    json: OnceLock<Utf8Bytes>,
    size: OnceLock<usize>,
}

/// An update of a thread, in the form that readers in the same process take.
#[derive(Debug, Clone)]
pub(crate) enum Update {
    /// A change, and the id of the user whose message caused it. The whole of a streamed text is sent as a change of its
    /// event.
    Change(Change, Option<Arc<str>>),
    /// A piece of a streamed text.
    Delta {
        thread_id: String,
        event_id: String,
        delta_seq: u64,
        text: String,
    },
    /// The thread with this id no longer exists.
    Deleted(String),
}

impl Frame {
    /// Returns the frame as JSON.
    pub(crate) fn into_json(self) -> Utf8Bytes {
        match self.0 {
            Content::Json(json) => json,
            Content::Update(shared) => {
                let json = shared.json.get_or_init(|| shared.update.encode().into());
                json.clone()
            }
        }
    }

    /// Reduces the frame to its JSON. An update is encoded once for all its frames.
    pub(super) fn encoded(self) -> Self {
        Self(Content::Json(self.into_json()))
    }

    /// Returns the update. `None` if the frame is an answer, or concerns settings.
    pub(crate) fn into_update(self) -> Option<Update> {
        match self.0 {
            Content::Json(_) => None,
            Content::Update(shared) => Some(match Arc::try_unwrap(shared) {
                Ok(shared) => shared.update,
                Err(shared) => shared.update.clone(),
            }),
        }
    }

    /// The record of the thread, if the frame contains the thread's row or its deletion.
    pub(super) fn record(&self) -> Option<&ThreadRecord> {
        let Content::Update(shared) = &self.0 else {
            return None;
        };
        match &shared.update {
            Update::Change(change, _) => change.record(),
            Update::Delta { .. } | Update::Deleted(_) => None,
        }
    }

    /// The event, if the frame is a change of an event.
    pub(super) fn event(&self) -> Option<&ThreadEvent> {
        let Content::Update(shared) = &self.0 else {
            return None;
        };
        match &shared.update {
            Update::Change(change, _) => match &change.body {
                ChangeBody::Event(event) => Some(event),
                ChangeBody::Thread(_) | ChangeBody::Run(_) | ChangeBody::Deleted(_) => None,
            },
            Update::Delta { .. } | Update::Deleted(_) => None,
        }
    }

    /// The size in bytes that counts toward the limits of a queue.
    ///
    /// This is the length of the JSON. For an update that is not encoded, the length is estimated: texts have their own length,
    /// and all members with a small limit together count as [`SMALL_MEMBERS`].
    pub(super) fn len(&self) -> usize {
        match &self.0 {
            Content::Json(json) => json.len(),
            Content::Update(shared) => *shared.size.get_or_init(|| shared.update.size()),
        }
    }
}

impl From<String> for Frame {
    fn from(json: String) -> Self {
        Self(Content::Json(json.into()))
    }
}

impl From<Update> for Frame {
    fn from(update: Update) -> Self {
        Self(Content::Update(Arc::new(SharedUpdate {
            update,
            json: OnceLock::new(),
            size: OnceLock::new(),
        })))
    }
}

impl Update {
    fn encode(&self) -> String {
        let frame = match self {
            Self::Change(change, sender) => match &change.body {
                ChangeBody::Thread(record) => ServerFrame::ThreadUpsert {
                    thread: ThreadView::new(&record.thread, sender.as_deref()),
                },
                ChangeBody::Event(event) => ServerFrame::EventAppend {
                    thread_id: &change.thread_id,
                    events: &[event],
                },
                ChangeBody::Run(run) => ServerFrame::RunUpsert { run },
                ChangeBody::Deleted(_) => ServerFrame::ThreadDeleted {
                    thread_id: &change.thread_id,
                },
            },
            Self::Delta {
                thread_id,
                event_id,
                delta_seq,
                text,
            } => ServerFrame::EventDelta {
                thread_id,
                event_id,
                delta_seq: *delta_seq,
                text,
            },
            Self::Deleted(thread_id) => ServerFrame::ThreadDeleted { thread_id },
        };
        frame.encode()
    }

    fn size(&self) -> usize {
        let large = match self {
            Self::Change(change, _) => match &change.body {
                ChangeBody::Thread(record) => {
                    let thread = &record.thread;
                    let title = thread.title.as_ref().map_or(0, String::len);
                    title + json_bytes(&thread.users) + json_bytes(&thread.metadata)
                }
                ChangeBody::Event(event) => {
                    let parts = event.content.iter().flatten();
                    let content = parts.map(|part| {
                        let text = part.as_text().map(|text| TEXT_PART + text.len());
                        text.unwrap_or_else(|| json_bytes(part))
                    });
                    content.sum::<usize>() + json_bytes(&event.data) + json_bytes(&event.user)
                }
                ChangeBody::Run(run) => {
                    let error = run.error.as_ref().map_or(0, String::len);
                    error + json_bytes(&run.usage)
                }
                ChangeBody::Deleted(_) => 0,
            },
            Self::Delta { text, .. } => text.len(),
            Self::Deleted(_) => 0,
        };
        SMALL_MEMBERS + large
    }
}

#[cfg(test)]
impl Frame {
    /// Creates a frame with this text.
    pub(crate) fn from_static(text: &'static str) -> Self {
        Self(Content::Json(Utf8Bytes::from_static(text)))
    }
}

#[cfg(test)]
impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.clone().into_json() == other.clone().into_json()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::outbound::{Outbound, OutboundLimits};
    use crate::hub::tests::event;
    use crate::hub::total::OutboundTotal;
    use crate::protocol::{
        ContentPart, ModelUsage, Run, RunStatus, Thread, Usage, User, timestamp,
    };
    use futures::FutureExt;
    use serde_json::json;

    const ROOMY: OutboundLimits = OutboundLimits {
        frames: 100,
        bytes: 1_000_000,
    };

    fn socket() -> Outbound {
        Outbound::new(ROOMY, Some(Arc::new(OutboundTotal::new(1_000_000, 1))))
    }

    fn frame() -> Frame {
        Frame::from(Update::Change(event(1, 1), None))
    }

    fn is_encoded(frame: &Frame) -> bool {
        match &frame.0 {
            Content::Json(_) => true,
            Content::Update(shared) => shared.json.get().is_some(),
        }
    }

    /// Takes the frame that waits in the queue.
    fn taken(outbound: &Outbound) -> Frame {
        let mut batch = Vec::new();
        outbound.take(1, &mut batch).now_or_never().unwrap();
        batch.remove(0)
    }

    #[test]
    fn update_is_encoded_once_for_all_sockets() {
        let (frame, one, two) = (frame(), socket(), socket());
        assert!(one.offer(&frame) && two.offer_instead("e", &frame));
        let json = [one, two].map(|socket| taken(&socket).into_json().as_ptr());
        assert_eq!(json[0], json[1]);
        assert_eq!(frame.into_json().as_ptr(), json[0]);
    }

    #[test]
    fn socket_keeps_nothing_but_the_json() {
        let (frame, socket) = (frame(), socket());
        assert!(socket.offer(&frame));
        socket.push(frame.clone());
        let Content::Update(shared) = &frame.0 else {
            panic!("{frame:?}");
        };
        assert_eq!(Arc::strong_count(shared), 1);
        assert!(taken(&socket).into_update().is_none());
    }

    #[test]
    fn update_is_not_encoded_for_its_own_process() {
        let change = event(1, 1);
        let frame = Frame::from(Update::Change(change.clone(), None));
        let local = Outbound::new(ROOMY, None);
        assert!(local.offer(&frame));
        let taken = taken(&local);
        assert!(!is_encoded(&taken) && !is_encoded(&frame));
        let Some(Update::Change(update, None)) = taken.into_update() else {
            panic!("{frame:?}");
        };
        assert_eq!(update, change);
    }

    #[test]
    fn size_is_about_that_of_the_json() {
        let text = "x".repeat(5000);
        let of_event = |content: Option<Vec<ContentPart>>, data| {
            let ChangeBody::Event(event) = event(1, 1).body else {
                unreachable!()
            };
            Change::of_event(
                ThreadEvent {
                    content,
                    data,
                    ..*event
                },
                1,
            )
        };
        let of_thread = |thread| {
            let record = ThreadRecord {
                thread,
                agent: "echo".to_owned(),
                participants: Vec::new(),
                rev: 1,
            };
            Change::of_thread(record, 1)
        };
        let thread = Thread::of_nobody();
        let changes = [
            event(1, 1),
            of_event(None, None),
            of_event(Some(vec![ContentPart::text(&text)]), None),
            of_event(
                Some(vec![ContentPart::image(&text).alt(&text).into()]),
                None,
            ),
            of_event(Some(vec![ContentPart::text("a"); 500]), None),
            of_event(None, Some(json!({"numbers": vec![1; 2000], "text": text}))),
            of_thread(thread.clone()),
            of_thread(Thread {
                users: (0..100).map(|n| User::new(format!("{n}"))).collect(),
                title: Some(text.clone()),
                metadata: Some(json!({"text": text})),
                ..thread
            }),
            Change::of_run(
                Run {
                    id: "r".to_owned(),
                    thread_id: "t".to_owned(),
                    event_id: None,
                    agent_id: None,
                    status: RunStatus::Failed,
                    started_at: timestamp::now(),
                    ended_at: None,
                    error: Some(text.clone()),
                    usage: (0..20)
                        .map(|number| {
                            ModelUsage::from(&Usage::new(format!("{number}{}", &text[..100])))
                        })
                        .collect(),
                },
                1,
            ),
        ];
        let delta = Update::Delta {
            thread_id: "t".to_owned(),
            event_id: "e".to_owned(),
            delta_seq: 1,
            text,
        };
        let changes = changes.map(|change| Update::Change(change, None));
        for update in changes.into_iter().chain([delta]) {
            let frame = Frame::from(update);
            let (size, json) = (frame.len(), frame.clone().into_json());
            assert!(
                size.abs_diff(json.len()) <= SMALL_MEMBERS,
                "{size} for {}",
                json.len()
            );
            assert_eq!(frame.len(), size, "the size does not change");
        }
    }
}
