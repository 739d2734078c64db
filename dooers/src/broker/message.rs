//! The messages on the wire between nodes.

use super::news::News;
use crate::protocol::json_bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The version of the messages. A node ignores messages of other versions.
const VERSION: u32 = 2;

/// Maximum size of a message in bytes. PostgreSQL accepts texts below 8,000 bytes.
const LONGEST: usize = 7_900;

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
    #[error("the text is not a message")]
    Json(#[from] serde_json::Error),
    #[error("the message has the version {0}")]
    Version(u32),
}

/// Encodes news in as few messages as fit. News that are too large for a message are left out.
pub(super) fn encode(node: &str, news: impl IntoIterator<Item = News>) -> Vec<String> {
    let mut packer = Packer::new(node);
    for part in news.into_iter().flat_map(News::into_parts) {
        packer.add(part);
    }
    packer.finish();
    packer.messages
}

/// The news of a message that can be read, and the errors of the others.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) news: Vec<News>,
    pub(super) errors: Vec<serde_json::Error>,
}

/// Decodes a message. Empty if this node has sent it.
pub(super) fn decode(node: &str, text: &str) -> Result<Decoded, Malformed> {
    let message: Received<'_> = serde_json::from_str(text)?;
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
    use crate::broker::ThreadNotice;

    fn notice(thread_id: &str, rev: u64) -> News {
        News::Thread(ThreadNotice {
            thread_id: thread_id.to_owned(),
            rev,
            place: None,
            deleted_for: None,
        })
    }

    fn decoded(messages: &[String]) -> Vec<News> {
        let mut all = Vec::new();
        for text in messages {
            assert!(text.len() <= LONGEST, "{} bytes", text.len());
            let decoded = decode("other", text).unwrap();
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
        let messages = encode("node", news.clone());
        assert!((3..10).contains(&messages.len()), "{}", messages.len());
        assert_eq!(decoded(&messages), news);
        assert!(encode("node", []).is_empty());
    }

    #[test]
    fn news_too_large_for_a_message_are_left_out() {
        let large = "x".repeat(LONGEST);
        let small = [notice("t", 2), News::Turn("e".to_owned())];
        let mut news = vec![notice(&large, 1), News::Turn(large)];
        news.extend(small.clone());
        assert_eq!(decoded(&encode("node", news)), small);
    }

    #[test]
    fn own_messages_are_ignored_and_others_refused() {
        let message = &encode("node", [notice("t", 1), News::Everything])[0];
        assert_eq!(
            message,
            r#"{"v":2,"n":"node","m":[{"t":{"t":"t","r":1}},"e"]}"#
        );
        assert!(decode("node", message).unwrap().news.is_empty());
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
            assert!(decode("other", text).is_err(), "{text}");
        }
    }

    #[test]
    fn news_of_a_later_version_are_skipped() {
        let text = r#"{"v":2,"n":"node","z":[],"m":[{"zz":{"t":1}},"zz",{"t":{"t":"t","r":-1}},{"q":1},{"t":{"t":"t","r":1,"z":1}}]}"#;
        let decoded = decode("other", text).unwrap();
        assert_eq!(decoded.news, [notice("t", 1)]);
        assert_eq!(decoded.errors.len(), 4);
    }
}
