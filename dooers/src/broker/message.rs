//! The messages on the wire between nodes.

use super::news::News;
use crate::cipher::{CipherKey, OVERHEAD_BYTES};
use crate::protocol::json_bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The version of the messages. A node ignores messages of other versions.
const VERSION: u32 = 2;

/// Maximum size of a sealed message in bytes. PostgreSQL accepts texts below 8,000 bytes.
const LONGEST_SEALED: usize = 7_900;

/// Maximum size of a message in bytes before it is sealed, which includes base64.
const LONGEST: usize = LONGEST_SEALED / 4 * 3 - OVERHEAD_BYTES;

/// The context that each message is sealed with, so that no other text sealed with the key is accepted as a message.
const PURPOSE: &[u8] = b"dooers message between nodes";

/// A message as JSON.
#[derive(Debug, Serialize)]
struct Message<'a> {
    v: u32,
    /// The sending node.
    n: &'a str,
    m: Vec<News>,
}

/// A received message. A later version may add members and kinds of news.
#[derive(Debug, Deserialize)]
struct Received<'a> {
    v: u32,
    #[serde(borrow)]
    n: Cow<'a, str>,
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
        packer.add(part);
    }
    packer.finish();
    let messages = packer.messages.iter();
    messages.filter_map(|text| seal(key, text)).collect()
}

/// Seals the JSON of a message.
pub(super) fn seal(key: &CipherKey, text: &str) -> Option<String> {
    key.seal(PURPOSE, text)
}

/// The news of a message that can be read, and the errors of the others.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) news: Vec<News>,
    pub(super) errors: Vec<serde_json::Error>,
}

/// Opens and decodes a message. Empty if this node has sent it.
pub(super) fn decode(key: &CipherKey, node: &str, sealed: &str) -> Result<Decoded, Malformed> {
    let text = key.open(PURPOSE, sealed).ok_or(Malformed::Seal)?;
    let message: Received<'_> = serde_json::from_str(&text)?;
    if message.v != VERSION {
        return Err(Malformed::Version(message.v));
    }
    let mut decoded = Decoded::default();
    if message.n == node {
        return Ok(decoded);
    }
    for item in message.m {
        match serde_json::from_str(item.get()) {
            Ok(news) => decoded.news.push(news),
            Err(error) => decoded.errors.push(error),
        }
    }
    Ok(decoded)
}

/// The messages that are being filled.
struct Packer<'a> {
    node: &'a str,
    news: Vec<News>,
    size: usize,
    size_of_empty: usize,
    messages: Vec<String>,
}

impl<'a> Packer<'a> {
    fn new(node: &'a str) -> Self {
        let size_of_empty = json_bytes(&Message {
            v: VERSION,
            n: node,
            m: Vec::new(),
        });
        Self {
            node,
            news: Vec::new(),
            size: size_of_empty,
            size_of_empty,
            messages: Vec::new(),
        }
    }

    fn add(&mut self, news: News) {
        let with_comma = json_bytes(&news) + 1;
        if self.size + with_comma > LONGEST {
            self.finish();
        }
        if self.size + with_comma <= LONGEST {
            self.size += with_comma;
            self.news.push(news);
        }
    }

    /// Completes the current message, and begins the next one.
    fn finish(&mut self) {
        let message = Message {
            v: VERSION,
            n: self.node,
            m: std::mem::take(&mut self.news),
        };
        self.size = self.size_of_empty;
        // Serialization cannot fail, because the message contains only texts and numbers.
        if !message.m.is_empty()
            && let Ok(text) = serde_json::to_string(&message)
        {
            self.messages.push(text);
        }
    }
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
            assert!(text.len() <= LONGEST_SEALED, "{} bytes", text.len());
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
        assert_eq!(
            key().open(PURPOSE, message).unwrap(),
            r#"{"v":2,"n":"node","m":[{"t":{"t":"t","r":1}},{"c":{"a":"a","w":"w"}},"e"]}"#
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
            r#"{"v":1,"n":"node","m":[]}"#,
            r#"{"v":2,"n":"node","m":{}}"#,
        ] {
            assert!(decode(&key(), "other", text).is_err(), "{text}");
            let sealed = seal(&key(), text).unwrap();
            assert!(decode(&key(), "other", &sealed).is_err(), "{text}");
        }
    }

    #[test]
    fn news_of_a_later_version_are_skipped() {
        let text = r#"{"v":2,"n":"node","z":[],"m":[{"zz":{"t":1}},"zz",{"t":{"t":"t","r":-1}},{"q":1},{"t":{"t":"t","r":1,"z":1}}]}"#;
        let decoded = decode(&key(), "other", &seal(&key(), text).unwrap()).unwrap();
        assert_eq!(decoded.news, [notice("t", 1)]);
        assert_eq!(decoded.errors.len(), 4);
    }
}
