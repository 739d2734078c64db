//! Streamed texts.
//!
//! The event of a text is a change like any other, and so is the end of the text. The pieces in between have no `rev`. Clients
//! that take pieces receive each piece once, with its number. Other clients receive the whole text from time to time.

use super::Hub;
use super::feed::Feed;
use super::lock::lock;
use super::text::Text;
use crate::protocol::ThreadEvent;
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// The publisher of a streamed text. Dropping it ends the pieces; the end of the text is a change.
#[derive(Debug)]
pub(crate) struct GrowingText {
    hub: Hub,
    feed: Arc<Mutex<Feed>>,
    thread_id: String,
    seq: u64,
}

impl Hub {
    /// Starts a streamed text. Its event was published as the change with this `rev`.
    pub(crate) fn grow(&self, event: ThreadEvent, rev: u64) -> GrowingText {
        let (thread_id, seq) = (event.thread_id.clone(), event.seq);
        let feed = self.feed_of(&thread_id, |feed| feed.begin_text(Text::new(event, rev)));
        GrowingText {
            hub: self.clone(),
            feed,
            thread_id,
            seq,
        }
    }
}

impl GrowingText {
    /// Publishes the next piece of the text.
    pub(crate) fn push(&self, piece: &str) {
        let again = lock(&self.feed).grow(self.seq, piece);
        if let Some(at) = again {
            self.send_whole_at(at);
        }
    }

    /// The published text, and the number of the next piece.
    pub(crate) fn sent(&self) -> (String, u64) {
        lock(&self.feed).sent(self.seq)
    }

    fn send_whole_at(&self, at: Instant) {
        let (feed, seq) = (Arc::clone(&self.feed), self.seq);
        self.hub.later(at, move || lock(&feed).send_whole(seq));
    }
}

impl Drop for GrowingText {
    fn drop(&mut self) {
        lock(&self.feed).end_text(self.seq);
        self.hub.tidy(&self.thread_id);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, connection, event};
    use super::*;
    use crate::hub::connection::Connection;
    use crate::hub::frame::Frame;
    use crate::hub::outbound::OutboundLimits;
    use crate::hub::whole_pace::WHOLE_EVERY;
    use crate::protocol::ContentPart;
    use crate::store::{Change, ChangeBody, Position};
    use futures::FutureExt;
    use serde_json::Value;
    use std::time::Duration;
    use tokio::time::{advance, sleep};

    const ROOMY: OutboundLimits = OutboundLimits {
        frames: 10_000,
        bytes: 10_000_000,
    };

    /// The first event of the thread, whose text is streamed.
    fn growing() -> (ThreadEvent, Change) {
        let ChangeBody::Event(event) = event(1, 1).body else {
            unreachable!()
        };
        let event = ThreadEvent {
            content: Some(vec![ContentPart::text("")]),
            streaming: Some(true),
            delta_seq: Some(0),
            ..*event
        };
        (event.clone(), Change::of_event(event, 1))
    }

    fn begin(hub: &Hub) -> GrowingText {
        let (event, change) = growing();
        hub.publish(vec![change]);
        hub.grow(event, 1)
    }

    fn reader(hub: &Hub, takes_deltas: bool, limits: OutboundLimits) -> Arc<Connection> {
        let reader = connection(hub, limits);
        reader.set_takes_deltas(takes_deltas);
        reader
    }

    /// The frames that were sent since the last call: `+N text` for a piece, `=N text` for a whole event.
    fn sent(reader: &Connection) -> Vec<String> {
        let mut batch = Vec::new();
        let mut all = Vec::new();
        while reader
            .outbound()
            .take(usize::MAX, &mut batch)
            .now_or_never()
            .is_some()
        {
            all.append(&mut batch);
        }
        let shown = |frame: Frame| {
            let frame: Value = serde_json::from_str(&frame.into_json()).unwrap();
            let payload = &frame["payload"];
            if frame["type"] == "event.delta" {
                let text = payload["text"].as_str().unwrap();
                return format!("+{} {text}", payload["delta_seq"]);
            }
            let event = &payload["events"][0];
            let text = event["content"][0]["text"].as_str().unwrap();
            format!("={} {text}", event["delta_seq"])
        };
        all.into_iter().map(shown).collect()
    }

    #[tokio::test]
    async fn each_piece_is_sent_once_and_numbered() {
        let hub = Hub::default();
        let reader = reader(&hub, true, ROOMY);
        hub.subscribe(&reader, "t").activate([], at(0));
        let text = begin(&hub);
        text.push("One ");
        text.push("word");
        assert_eq!(sent(&reader), ["=0 ", "+0 One ", "+1 word"]);
        assert_eq!(text.sent(), ("One word".to_owned(), 2));
    }

    #[tokio::test]
    async fn text_grows_without_subscribers() {
        let hub = Hub::default();
        let text = begin(&hub);
        text.push("One ");
        text.push("word");
        assert_eq!(text.sent(), ("One word".to_owned(), 2));
        drop(text);
        assert!(hub.feed("t").is_none(), "an idle feed is kept");
    }

    #[tokio::test]
    async fn subscriber_joining_late_gets_text_then_pieces() {
        let hub = Hub::default();
        let text = begin(&hub);
        text.push("One ");
        let joining = reader(&hub, true, ROOMY);
        let join = hub.subscribe(&joining, "t");
        // The piece that arrives while the store is read.
        text.push("word ");
        join.activate([], at(1));
        text.push("more");
        assert_eq!(sent(&joining), ["=2 One word ", "+2 more"]);
    }

    #[tokio::test]
    async fn event_possibly_missed_comes_with_the_first_piece() {
        let hub = Hub::default();
        let back = || Position {
            sent_from: 2,
            ..at(1)
        };
        let (event, change) = growing();
        hub.publish(vec![change]);
        // A reader whose client may lack the event, and which read it before the text started to be published.
        let early = reader(&hub, true, ROOMY);
        hub.subscribe(&early, "t").activate([], back());
        let text = hub.grow(event, 1);
        text.push("One ");
        text.push("word");
        assert_eq!(sent(&early), ["=1 One ", "+1 word"]);
        // A reader that joined after pieces had been published.
        let late = reader(&hub, true, ROOMY);
        hub.subscribe(&late, "t").activate([], back());
        text.push(".");
        assert_eq!(sent(&late), ["=2 One word", "+2 ."]);
    }

    #[tokio::test]
    async fn held_event_is_sent_before_its_text() {
        let hub = Hub::default();
        let reader = reader(&hub, true, ROOMY);
        hub.subscribe(&reader, "t").activate([], at(0));
        let (held, _) = growing();
        let held = ThreadEvent {
            id: "held".to_owned(),
            seq: 2,
            ..held
        };
        hub.publish(vec![Change::of_event(held.clone(), 2)]);
        let text = hub.grow(held, 2);
        text.push("One ");
        text.push("word");
        assert_eq!(text.sent(), (String::new(), 0));
        assert_eq!(sent(&reader), [""; 0]);
        hub.publish(vec![growing().1]);
        text.push(".");
        assert_eq!(sent(&reader), ["=0 ", "=0 ", "+0 One word", "+1 ."]);
    }

    #[tokio::test]
    async fn slow_reader_gets_the_text_so_far_when_drained() {
        let hub = Hub::default();
        let few = OutboundLimits {
            frames: 2,
            bytes: 10_000,
        };
        let slow = reader(&hub, true, few);
        hub.subscribe(&slow, "t").activate([], at(0));
        let text = begin(&hub);
        for piece in ["a", "b", "c"] {
            text.push(piece);
        }
        assert_eq!(sent(&slow), ["=0 ", "+0 a"]);
        let behind = slow.behind("t").unwrap();
        assert_eq!((behind.last_seq, behind.rev), (1, 1));
        hub.subscribe(&slow, "t").activate([], behind);
        text.push("d");
        assert_eq!(sent(&slow), ["=3 abc", "+3 d"]);
    }

    #[tokio::test(start_paused = true)]
    async fn reader_without_pieces_gets_ten_texts_a_second() {
        let hub = Hub::default();
        let old = reader(&hub, false, ROOMY);
        hub.subscribe(&old, "t").activate([], at(0));
        let text = begin(&hub);
        assert_eq!(sent(&old), ["=0 "]);
        let mut frames = Vec::new();
        // 50 pieces within a second.
        for _ in 0..50 {
            text.push("x");
            sleep(Duration::from_millis(20)).await;
            frames.extend(sent(&old));
        }
        assert!((9..=11).contains(&frames.len()), "{frames:?}");
        // The rest follows without a further piece.
        sleep(WHOLE_EVERY).await;
        frames.extend(sent(&old));
        assert_eq!(frames.last().unwrap(), &format!("=50 {}", "x".repeat(50)));
        assert!(frames.iter().all(|frame| frame.starts_with('=')));
        sleep(WHOLE_EVERY * 10).await;
        assert_eq!(sent(&old), [""; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_text_is_sent_whole_the_more_rarely() {
        let hub = Hub::default();
        let old = reader(&hub, false, ROOMY);
        hub.subscribe(&old, "t").activate([], at(0));
        let text = begin(&hub);
        text.push("x".repeat(64 * 1024).as_str());
        sent(&old);
        text.push("y");
        advance(Duration::from_millis(990)).await;
        tokio::task::yield_now().await;
        assert_eq!(sent(&old).len(), 0);
        sleep(Duration::from_millis(50)).await;
        assert_eq!(sent(&old).len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_whole_text_that_waits_is_replaced_by_a_newer_one() {
        let hub = Hub::default();
        let old = reader(&hub, false, ROOMY);
        hub.subscribe(&old, "t").activate([], at(0));
        let text = begin(&hub);
        for piece in ["a", "b", "c"] {
            text.push(piece);
            sleep(WHOLE_EVERY).await;
        }
        assert_eq!(sent(&old), ["=0 ", "=3 abc"]);
    }

    #[tokio::test(start_paused = true)]
    async fn newest_whole_text_always_comes_last() {
        let hub = Hub::default();
        let old = reader(&hub, false, ROOMY);
        hub.subscribe(&old, "t").activate([], at(0));
        let text = begin(&hub);
        text.push("a");
        text.push("b");
        // The client requests a page before any of these frames was sent.
        let page = r#"{"payload":{"events":[{"delta_seq":0,"content":[{"text":"page"}]}]}}"#;
        hub.subscribe(&old, "t")
            .extend_back(Frame::from_static(page), 1, 1);
        text.push("c");
        sleep(WHOLE_EVERY * 2).await;
        assert_eq!(sent(&old), ["=0 ", "=1 a", "=0 page", "=3 abc"]);
    }

    #[tokio::test(start_paused = true)]
    async fn ended_text_is_not_sent_again() {
        let hub = Hub::default();
        let (old, new) = (reader(&hub, false, ROOMY), reader(&hub, true, ROOMY));
        for reader in [&old, &new] {
            hub.subscribe(reader, "t").activate([], at(0));
        }
        let text = begin(&hub);
        text.push("a");
        text.push("b");
        for reader in [&old, &new] {
            sent(reader);
        }
        drop(text);
        sleep(WHOLE_EVERY * 2).await;
        for reader in [&old, &new] {
            assert_eq!(sent(reader), [""; 0]);
        }
    }
}
