//! The messages on the wire between nodes.

use super::notice::ThreadNotice;
use crate::protocol::json_bytes;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The version of the messages. A node ignores messages of other versions.
const VERSION: u32 = 1;

/// Maximum size of a message in bytes. PostgreSQL accepts texts below 8,000 bytes.
const LONGEST: usize = 7_900;

/// Maximum number of participants in one notice.
const PARTICIPANTS: usize = 200;

/// The content of messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) notices: Vec<ThreadNotice>,
    /// The events of messages whose turns must be looked up in the store.
    pub(crate) turns: Vec<String>,
    /// Any thread may have changed.
    pub(crate) is_everything: bool,
}

/// A message as JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Message<'a> {
    v: u32,
    /// The sending node.
    n: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    c: Vec<ThreadNotice>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    s: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    a: bool,
}

/// A text that is not a message of this version.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error("the text is not a message")]
    Json(#[from] serde_json::Error),
    #[error("the message has the version {0}")]
    Version(u32),
}

/// Encodes a batch in as few messages as fit. A notice that is too large for a message is left out.
pub(super) fn encode(node: &str, batch: Batch) -> Vec<String> {
    let mut packer = Packer {
        node,
        current: empty(node),
        size: json_bytes(&empty(node)),
        messages: Vec::new(),
    };
    packer.current.a = batch.is_everything;
    for mut notice in batch.notices {
        let all = notice.deleted_for.take();
        let parts = all.as_deref().map(|all| all.chunks(PARTICIPANTS));
        for part in parts.into_iter().flatten() {
            let deleted_for = Some(part.to_vec());
            packer.add_notice(ThreadNotice {
                deleted_for,
                ..notice.clone()
            });
        }
        if all.as_ref().is_none_or(Vec::is_empty) {
            notice.deleted_for = all;
            packer.add_notice(notice);
        }
    }
    for event_id in batch.turns {
        if packer.has_room_for(json_bytes(&event_id)) {
            packer.current.s.push(event_id);
        }
    }
    packer.finish();
    packer.messages
}

/// Decodes a message. `None` if this node has sent it.
pub(super) fn decode(node: &str, text: &str) -> Result<Option<Batch>, Malformed> {
    let message: Message<'_> = serde_json::from_str(text)?;
    if message.v != VERSION {
        return Err(Malformed::Version(message.v));
    }
    Ok((message.n != node).then_some(Batch {
        notices: message.c,
        turns: message.s,
        is_everything: message.a,
    }))
}

/// The messages that are being filled.
struct Packer<'a> {
    node: &'a str,
    current: Message<'a>,
    size: usize,
    messages: Vec<String>,
}

/// The names and signs of all members.
const MEMBERS: usize = r#","c":[],"s":[],"a":true"#.len();

fn empty(node: &str) -> Message<'_> {
    Message {
        v: VERSION,
        n: Cow::Borrowed(node),
        c: Vec::new(),
        s: Vec::new(),
        a: false,
    }
}

impl Packer<'_> {
    fn add_notice(&mut self, notice: ThreadNotice) {
        if self.has_room_for(json_bytes(&notice)) {
            self.current.c.push(notice);
        }
    }

    /// Makes room for an item, and counts it. Returns `false` if it fits into no message.
    fn has_room_for(&mut self, bytes: usize) -> bool {
        let with_comma = bytes + 1;
        if self.size + MEMBERS + with_comma > LONGEST {
            self.finish();
        }
        let fits = self.size + MEMBERS + with_comma <= LONGEST;
        if fits {
            self.size += with_comma;
        }
        fits
    }

    /// Completes the current message, and begins the next one.
    fn finish(&mut self) {
        let full = std::mem::replace(&mut self.current, empty(self.node));
        let has_content = full.a || !full.c.is_empty() || !full.s.is_empty();
        self.size = json_bytes(&self.current);
        // Serialization cannot fail, because the message contains only texts and numbers.
        if has_content && let Ok(text) = serde_json::to_string(&full) {
            self.messages.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::ParticipantKey;
    use crate::store::Participant;

    fn notice(thread_id: &str, rev: u64) -> ThreadNotice {
        ThreadNotice {
            thread_id: thread_id.to_owned(),
            rev,
            place: None,
            deleted_for: None,
        }
    }

    fn decoded(messages: &[String]) -> Batch {
        let mut all = Batch::default();
        for text in messages {
            assert!(text.len() <= LONGEST, "{} bytes", text.len());
            let batch = decode("other", text).unwrap().unwrap();
            all.notices.extend(batch.notices);
            all.turns.extend(batch.turns);
            all.is_everything |= batch.is_everything;
        }
        all
    }

    #[test]
    fn batch_above_the_limit_becomes_several_messages() {
        let many = |name: &str| {
            (0..500)
                .map(|n| format!("{name}-\"-{n}"))
                .collect::<Vec<_>>()
        };
        let batch = Batch {
            notices: many("thread").iter().map(|id| notice(id, 7)).collect(),
            turns: many("event"),
            is_everything: true,
        };
        let messages = encode("node", batch.clone());
        assert!((3..10).contains(&messages.len()), "{}", messages.len());
        assert_eq!(decoded(&messages), batch);
        assert_eq!(encode("node", Batch::default()), Vec::<String>::new());
    }

    #[test]
    fn notice_too_large_for_a_message_is_left_out() {
        let large = "x".repeat(LONGEST);
        let batch = Batch {
            notices: vec![notice(&large, 1), notice("t", 2)],
            turns: vec![large, "e".to_owned()],
            is_everything: false,
        };
        let all = decoded(&encode("node", batch));
        assert_eq!(all.notices, [notice("t", 2)]);
        assert_eq!(all.turns, ["e"]);
    }

    #[test]
    fn deletion_with_many_participants_is_divided() {
        let key = |n| ParticipantKey::of(&Participant::connection(&format!("c{n}")));
        let keys: Vec<_> = (0..2 * PARTICIPANTS + 1).map(key).collect();
        let deleted = |keys: &[ParticipantKey]| ThreadNotice {
            deleted_for: Some(keys.to_vec()),
            ..notice("t", 3)
        };
        let batch = |notices| Batch {
            notices,
            ..Batch::default()
        };
        let all = decoded(&encode("node", batch(vec![deleted(&keys)])));
        let expected: Vec<_> = keys.chunks(PARTICIPANTS).map(deleted).collect();
        assert_eq!(all.notices, expected);
        let empty = batch(vec![deleted(&[])]);
        assert_eq!(decoded(&encode("node", empty.clone())), empty);
    }

    #[test]
    fn own_messages_are_ignored_and_others_refused() {
        let batch = Batch {
            notices: vec![notice("t", 1)],
            ..Batch::default()
        };
        let message = &encode("node", batch)[0];
        assert_eq!(message, r#"{"v":1,"n":"node","c":[{"t":"t","r":1}]}"#);
        assert_eq!(decode("node", message).unwrap(), None);
        // A later version may add members.
        let added = r#"{"v":1,"n":"node","z":[],"c":[{"t":"t","r":1,"z":1}]}"#;
        assert!(decode("other", added).unwrap().is_some());
        for text in [
            "",
            "{",
            "[]",
            "null",
            "{}",
            r#"{"v":1}"#,
            r#"{"v":2,"n":"node"}"#,
            r#"{"v":1,"n":"node","c":[{"t":"t"}]}"#,
            r#"{"v":1,"n":"node","c":[{"t":"t","r":-1}]}"#,
            r#"{"v":1,"n":"node","s":[1]}"#,
        ] {
            assert!(decode("other", text).is_err(), "{text}");
        }
    }
}
