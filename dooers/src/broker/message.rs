//! The messages on the wire between nodes: `<node>.<sealed>`, with the id of the sending node.

use super::news::News;
use crate::cipher::{CipherKey, OVERHEAD_BYTES};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The version of the messages. A node ignores messages of other versions.
const VERSION: u32 = 2;

/// Maximum size of a message in bytes. PostgreSQL accepts texts below 8,000 bytes.
const LONGEST: usize = 7_900;

/// The context that each message is sealed with, followed by the sending node, so that no other text sealed with the key is
/// accepted as a message of this node.
const PURPOSE: &str = "dooers message between nodes";

/// A received message. A later version may add members and kinds of news.
#[derive(Debug, Deserialize)]
struct Received<'a> {
    v: u32,
    #[serde(borrow)]
    m: Vec<&'a RawValue>,
}

/// A text that is not a message of this version.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error("it is not sealed with the key of the database")]
    Seal,
    #[error("the text is not a message")]
    Json(#[from] serde_json::Error),
    #[error("the message has the version {0}")]
    Version(u32),
}

/// Encodes news in as few messages as fit, and seals them. News that are too large for a message are left out.
pub(super) fn encode(
    key: &CipherKey,
    node: &str,
    news: impl IntoIterator<Item = News>,
) -> Vec<String> {
    let mut packer = Packer::new(node);
    for part in news.into_iter().flat_map(News::into_parts) {
        // Serialization cannot fail, because news contain only texts and numbers.
        if let Ok(text) = serde_json::to_string(&part) {
            packer.add(&text);
        }
    }
    let messages = packer.finish().into_iter();
    messages.filter_map(|text| seal(key, node, &text)).collect()
}

/// Seals the JSON of a message.
pub(super) fn seal(key: &CipherKey, node: &str, text: &str) -> Option<String> {
    let sealed = key.seal(&context(node), text)?;
    Some(format!("{node}.{sealed}"))
}

fn context(node: &str) -> Vec<u8> {
    [PURPOSE, node].concat().into_bytes()
}

/// The news of a message that can be read, and the errors of the others.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) news: Vec<News>,
    pub(super) errors: Vec<serde_json::Error>,
}

/// Opens and decodes a message. Empty if this node has sent it, as a broker returns a node's own messages.
pub(super) fn decode(key: &CipherKey, node: &str, message: &str) -> Result<Decoded, Malformed> {
    let mut decoded = Decoded::default();
    let (sender, sealed) = message.split_once('.').ok_or(Malformed::Seal)?;
    if sender == node {
        return Ok(decoded);
    }
    let text = key.open(&context(sender), sealed).ok_or(Malformed::Seal)?;
    let message: Received<'_> = serde_json::from_str(&text)?;
    if message.v != VERSION {
        return Err(Malformed::Version(message.v));
    }
    for item in message.m {
        match serde_json::from_str(item.get()) {
            Ok(news) => decoded.news.push(news),
            Err(error) => decoded.errors.push(error),
        }
    }
    Ok(decoded)
}

/// The messages that are being filled, before they are sealed.
struct Packer {
    /// Maximum size of a message in bytes.
    longest: usize,
    /// The message that is being filled, without its end.
    open: String,
    messages: Vec<String>,
}

const END: &str = "]}";

impl Packer {
    fn new(node: &str) -> Self {
        // The seal includes base64.
        let sealed = LONGEST.saturating_sub(node.len() + 1);
        Self {
            longest: (sealed / 4 * 3).saturating_sub(OVERHEAD_BYTES),
            open: begin(),
            messages: Vec::new(),
        }
    }

    /// Adds the JSON of news.
    fn add(&mut self, news: &str) {
        let with_comma = news.len() + 1;
        if self.open.len() + with_comma + END.len() > self.longest {
            self.close();
        }
        if self.open.len() + with_comma + END.len() <= self.longest {
            self.open.push_str(news);
            self.open.push(',');
        }
    }

    /// Completes the current message, and begins the next one.
    fn close(&mut self) {
        // A message that contains news ends with a comma here.
        if self.open.ends_with(',') {
            self.open.pop();
            self.open.push_str(END);
            self.messages
                .push(std::mem::replace(&mut self.open, begin()));
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.close();
        self.messages
    }
}

fn begin() -> String {
    format!(r#"{{"v":{VERSION},"m":["#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{SettingsNotice, ThreadNotice};
    use crate::store::WorkerKey;

    fn notice(thread_id: &str, rev: u64) -> News {
        News::Thread(ThreadNotice {
            thread_id: thread_id.to_owned(),
            rev,
            place: None,
            deleted_for: None,
        })
    }

    fn key() -> CipherKey {
        CipherKey::new([7; 32])
    }

    fn decoded(messages: &[String]) -> Vec<News> {
        let mut all = Vec::new();
        for text in messages {
            assert!(text.len() <= LONGEST, "{} bytes", text.len());
            let decoded = decode(&key(), "other", text).unwrap();
            assert!(decoded.errors.is_empty());
            all.extend(decoded.news);
        }
        all
    }

    #[test]
    fn news_above_the_limit_become_several_messages() {
        let names = |kind: &'static str| (0..500).map(move |n| format!("{kind}-\"-{n}"));
        let mut news: Vec<_> = names("thread").map(|id| notice(&id, 7)).collect();
        news.extend(names("event").map(News::Turn));
        news.push(News::Everything);
        let messages = encode(&key(), "node", news.clone());
        assert!((3..10).contains(&messages.len()), "{}", messages.len());
        assert_eq!(decoded(&messages), news);
        assert!(encode(&key(), "node", []).is_empty());
    }

    #[test]
    fn news_too_large_for_a_message_are_left_out() {
        let large = "x".repeat(LONGEST);
        let small = [notice("t", 2), News::Turn("e".to_owned())];
        let mut news = vec![notice(&large, 1), News::Turn(large)];
        news.extend(small.clone());
        assert_eq!(decoded(&encode(&key(), "node", news)), small);
    }

    #[test]
    fn own_messages_are_ignored_and_others_refused() {
        let worker = WorkerKey {
            agent: "a".to_owned(),
            worker_id: "w".to_owned(),
        };
        let settings = News::Settings(SettingsNotice::of(&worker));
        let news = [notice("t", 1), settings, News::Everything];
        let message = &encode(&key(), "node", news)[0];
        let sealed = message.strip_prefix("node.").unwrap();
        assert_eq!(
            key().open(&context("node"), sealed).unwrap(),
            r#"{"v":2,"m":[{"t":{"t":"t","r":1}},{"c":{"a":"a","w":"w"}},"e"]}"#
        );
        assert!(decode(&key(), "node", message).unwrap().news.is_empty());
        let other = CipherKey::new([8; 32]);
        let error = decode(&other, "other", message).unwrap_err();
        assert!(matches!(error, Malformed::Seal));
        for text in [
            "",
            "{",
            "[]",
            "null",
            "{}",
            r#"{"v":2}"#,
            r#"{"v":1,"m":[]}"#,
            r#"{"v":2,"m":{}}"#,
        ] {
            assert!(decode(&key(), "other", text).is_err(), "{text}");
            let sealed = seal(&key(), "node", text).unwrap();
            assert!(decode(&key(), "other", &sealed).is_err(), "{text}");
        }
    }

    #[test]
    fn news_of_a_later_version_are_skipped() {
        let text = r#"{"v":2,"z":[],"m":[{"zz":{"t":1}},"zz",{"t":{"t":"t","r":-1}},{"q":1},{"t":{"t":"t","r":1,"z":1}}]}"#;
        let decoded = decode(&key(), "other", &seal(&key(), "node", text).unwrap()).unwrap();
        assert_eq!(decoded.news, [notice("t", 1)]);
        assert_eq!(decoded.errors.len(), 4);
    }
}
